create or replace function symphony.transport_status()
returns table (
    transport_name text, transport_type text, queue_name text, enabled boolean, state text,
    since timestamptz, last_error text, relays bigint, consumers bigint, pending bigint,
    oldest_pending_age interval, forwarded_last_minute bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    v_now timestamptz := symphony._now();
begin
    return query
    select t.transport_name, t.transport_type, t.queue_name, t.enabled, coalesce(r.state, 'no relay'),
           r.since, r.last_error, coalesce(r.relays, 0), coalesce(r.consumers, 0), s.pending,
           s.oldest_pending_age, s.finished_last_minute
    from symphony.transport as t
    cross join lateral symphony.queue_stats(t.queue_name) as s
    left join lateral symphony._relays(t.transport_name, v_now) as r on true
    where symphony._is_broker(t.transport_type)
    order by t.transport_name;
end;
$$;

comment on function symphony.transport_status is
$$The brokers: whether relays reach them, and what waits. All of it is what relays said of themselves
within the last 20 seconds.

Returns    a row for each transport that leads to a broker
           transport_name - the transport
           transport_type - redis, rabbitmq or sqs
           queue_name - its outbox
           enabled - false: nothing is forwarded
           state - up, down, full, connecting (a relay has just started), or no relay
           since - since when, if it is down or full
           last_error - why, in the words of the broker
           relays - how many are alive
           consumers - how many workers of this database consume from it
           pending - messages that wait to be forwarded
           oldest_pending_age - how long the oldest of them has waited
           forwarded_last_minute - messages
Access     operator, observer$$;
