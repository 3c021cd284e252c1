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
    at_most      integer default 10000
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
    v_chosen bigint[];
begin
    v_chosen := symphony._choose_failed(message_ids, queue_name, message_type, error_class, since,
                                        until, search, everything, at_most, dry_run);
    if dry_run then
        return query
        select * from symphony._failed_outcomes(
            message_ids, v_chosen, 'removed',
            case when message_ids is null then (
                select coalesce(sum(s.messages), 0)::bigint
                from symphony.failed_stats(queue_name, message_type, error_class, since, until,
                                           search) as s)
            end);
        return;
    end if;
    delete from symphony.failed_message as f where f.message_id = any (v_chosen);
    perform symphony._forget(v_chosen);
    perform symphony._free_keys(v_chosen);
    return query select * from symphony._failed_outcomes(message_ids, v_chosen, 'removed');
end;
$$;

comment on function symphony.remove_failed(
    bigint[], text, text, text, timestamptz, timestamptz, text, boolean, boolean, integer) is
$$Remove failed messages and their history, for good. Their idempotency keys are free then.

Arguments  message_ids; or the filters of failed_messages(): queue_name, message_type, error_class,
           since, until, search; or everything - true: all of them. dry_run - true: only say what
           would be done; at_most - of a filter, the oldest of each lane first: 1 to 1,000,000
Returns    with message_ids a row for each: outcome is removed, or where the message is instead, or
           unknown; one bad id is no error. Else one row: messages - how many
Raises     SY001 unknown_queue; 22023 bad argument
Writes     symphony.failed_message, symphony.attempt, symphony.replay, symphony.idempotency_key
Locks      these messages; what another session has in its hands is left out of a filter
Access     operator$$;

revoke execute on function symphony.remove_failed(
    bigint[], text, text, text, timestamptz, timestamptz, text, boolean, boolean, integer) from public;
