create or replace function symphony.remove_failed(
    message_ids  bigint[] default null,
    queue_name   text default null,
    message_type text default null,
    error_class  text default null,
    since        timestamptz default null,
    until        timestamptz default null,
    search       text default null,
    dry_run      boolean default false,
    everything   boolean default false,
    at_most      integer default 10000,
    up_to_id     bigint default null
)
returns table (message_id bigint, outcome text, messages bigint)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
as $$
#variable_conflict use_variable
declare
    v_choice symphony.failed_choice := row(message_ids, queue_name, message_type, error_class, since, until,
                                           search, everything, up_to_id);
    v_chosen bigint[] := symphony._choose_failed(v_choice, at_most, dry_run);
begin
    if dry_run is not true and v_chosen <> '{}' then
        delete from symphony.failed_message as f where f.message_id = any (v_chosen);
        perform symphony._free_held(v_chosen);
        perform symphony._forget(v_chosen);
        perform symphony._free_keys(v_chosen);
        perform symphony._audit('remove_failed', to_jsonb(v_choice), cardinality(v_chosen));
    end if;
    return query select * from symphony._failed_outcomes(v_choice, v_chosen, 'removed', dry_run);
end;
$$;

comment on function symphony.remove_failed is
$$Remove failed messages and their history, for good. Their idempotency keys are free then.

Arguments  message_ids - these; null: those that the filters mean
           queue_name, message_type, error_class, since, until, search - as for failed_messages()
           dry_run - true: only say what would be done
           everything - true: all of them, without ids and filters
           at_most - how many that a filter means, the oldest of each lane first: 1 to 1,000,000
           up_to_id - as for retry_failed()
Returns    a row for each of message_ids, or else one row
           message_id - the one that was given; null without message_ids
           outcome - removed, or where the message is instead, or unknown. A bad id raises no error
           messages - how many were removed, without message_ids
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
Writes     symphony.failed_message, symphony.attempt, symphony.replay, symphony.idempotency_key,
           symphony.audit, and what _free_held() writes
Locks      these messages; what another session has in its hands is left out of a filter
Access     operator$$;
