create or replace function symphony.worker_activity()
returns table (
    worker text, state text, queues text[], open_claims bigint, processing bigint,
    claimed_at timestamptz, running jsonb, request text, started_at timestamptz,
    seen_at timestamptz, details jsonb, requested_at timestamptz, requested_by text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * The claims tell what a worker has in its hands.  Only the worker knows which of these messages
 * it has begun: each heartbeat says so, and that counts here as long as the claim is still open.
 */
#variable_conflict use_column
declare
    v_now timestamptz := symphony._now();
begin
    return query
    with told as (
        select w.worker,
               case when jsonb_typeof(told.value -> 'message_id') = 'number'
                         and (told.value -> 'message_id')::numeric between 1 and 9223372036854775807
                    then (told.value -> 'message_id')::bigint end as message_id,
               case when jsonb_typeof(told.value -> 'seconds') = 'number'
                    then (told.value -> 'seconds')::numeric end
                   + extract(epoch from v_now - w.seen_at) as seconds
        from symphony.worker as w
        cross join lateral jsonb_array_elements(
            case when jsonb_typeof(w.details -> 'running') = 'array' then w.details -> 'running'
                 else '[]' end) as told
    ), open as materialized (
        select told.worker, told.message_id, told.seconds
        from symphony.claim as c
        cross join lateral unnest(c.open_ids) as known (message_id)
        join told on told.worker = c.worker and told.message_id = known.message_id
        where c.lease_until > v_now
    ), begun as (
        select open.worker,
               jsonb_agg(jsonb_build_object(
                   'message_id', m.message_id, 'message_type', m.message_type,
                   'seconds', round(open.seconds, 1)) order by open.seconds desc, m.message_id) as messages
        from open
        join symphony.message as m on m.message_id = open.message_id
        group by open.worker
    )
    select w.worker, s.state, w.queues, s.open_claims, s.processing, s.claimed_at,
           coalesce(begun.messages, '[]'), w.request, w.started_at, w.seen_at, w.details - 'running',
           w.requested_at, w.requested_by
    from symphony.worker as w
    join symphony._worker_states(v_now) as s on s.worker = w.worker
    left join begun on begun.worker = w.worker
    order by w.worker;
end;
$$;

comment on function symphony.worker_activity is
$$Who is alive, and what each does now.

Returns    a row for each worker
           worker - the name it claims with
           state - working, idle, paused, stopping, or silent: no heartbeat for 20 seconds (tick()
               forgets it after 60)
           queues - those it consumes
           open_claims - live claims in its hands
           processing - messages in its hands
           claimed_at - since when it has had them
           running - messages it has begun, as {"message_id", "message_type", "seconds"}, at most as
               many as it tells
           request - what request_workers() asked of it
           started_at - when it first said that it is alive
           seen_at - when it last said so
           details - what else it tells of itself
           requested_at - when that was asked of it
           requested_by - who asked: the role, and the actor if one was told
Access     operator, observer$$;
