create or replace function symphony.retry_failed(
    message_ids  bigint[] default null,
    queue_name   text default null,
    message_type text default null,
    error_class  text default null,
    since        timestamptz default null,
    until        timestamptz default null,
    search       text default null,
    body         jsonb default null,
    per_second   double precision default null,
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
    perform symphony._check_replay(message_ids, body, per_second);
    if dry_run is not true and v_chosen <> '{}' then
        perform symphony._replay(v_chosen, body, per_second);
        perform symphony._audit('retry_failed', to_jsonb(v_choice) || jsonb_build_object(
            'body', case when body is not null then '(replaced)' end, 'per_second', per_second),
            cardinality(v_chosen));
    end if;
    return query select * from symphony._failed_outcomes(v_choice, v_chosen, 'retried', dry_run);
end;
$$;

comment on function symphony.retry_failed is
$$Bring failed messages back: they are pending again, keep their ids, and have all their attempts
before them. What had to start by a time may now start at any time. One that fails again is failed
again.

Arguments  message_ids - these; null: those that the filters mean
           queue_name, message_type, error_class, since, until, search - as for failed_messages()
           body - the new body, with one id only; message_history() keeps the old one
           per_second - so many become available each second; null: all at once
           dry_run - true: only say what would be done
           everything - true: all of them, without ids and filters
           at_most - how many that a filter means, the oldest of each lane first: 1 to 1,000,000
           up_to_id - a filter, too: only those with this id or a lower one. With until and at_most
               it bounds an action to what was there when somebody looked
Returns    a row for each of message_ids, or else one row
           message_id - the one that was given; null without message_ids
           outcome - retried, or where the message is instead, or unknown. A bad id raises no error
           messages - how many were brought back, without message_ids. If it is at_most, call again,
               with an until, so that those that fail again meanwhile are not taken twice
Raises     SY001 unknown_queue
           SY004 body_too_large
           22023 invalid_parameter_value
Writes     symphony.failed_message, symphony.message or symphony.delayed_message, symphony.replay,
           symphony.audit; NOTIFY if a worker sleeps
Locks      these messages; what another session has in its hands is left out of a filter
Access     operator$$;
