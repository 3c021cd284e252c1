create or replace function symphony.message_history(message_id bigint)
returns table (
    event text, replay integer, attempt integer, started_at timestamptz, ended_at timestamptz,
    worker text, error_class text, error text, traceback text, replayed_by text, old_body jsonb
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    select h.event, h.replay, h.attempt, h.started_at, h.ended_at, h.worker, h.error_class, h.error,
           h.traceback, h.replayed_by, h.old_body
    from (
        select a.outcome as event, a.replay, a.attempt::integer, a.started_at, a.ended_at, a.worker,
               a.error_class, a.error, a.traceback, null as replayed_by, null::jsonb as old_body,
               a.attempt_id as number
        from symphony.attempt as a
        where a.message_id = message_history.message_id
        union all
        select 'replayed', (row_number() over (order by r.replay_id))::integer, null, null,
               r.replayed_at, null, null, null, null, r.replayed_by, r.old_body, 0
        from symphony.replay as r
        where r.message_id = message_history.message_id
    ) as h
    order by h.replay, h.number;
end;
$$;

comment on function symphony.message_history is
$$What went wrong with a message, attempt by attempt, and when it was replayed, wherever it is now. It
is kept for as long as the message.

Arguments  message_id - from enqueue()
Returns    a row for each attempt that did not succeed and for each replay, in order
           event - retry, failed, expired or replayed
           replay - how many replays there had been
           attempt - counts from 1 after each replay. An expiry is none, and has those before it
           started_at - when it was claimed
           ended_at - when the attempt ended, or the replay was
           worker - who had it
           error_class - class of the error, as the worker named it
           error - what happened, without secrets
           traceback - where it happened, without secrets
           replayed_by - the role that did it
           old_body - the body before the replay, if it was changed
Access     operator, observer$$;
