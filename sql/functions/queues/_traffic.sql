create or replace function symphony._traffic(now timestamptz)
returns table (
    queue_name text, processing bigint, claimed_minute bigint, claimed_hour bigint,
    finished_minute bigint, finished_hour bigint, retried_hour bigint, waiting interval,
    working interval, back_to timestamptz
)
language plpgsql
stable
as $$
/*
 * A claim of the last hour has a lease that ended after its beginning, so the index on
 * lease ends finds them all, and those that no tick() has come to yet.  Messages settled by
 * ack() count when their claim is finished.
 */
#variable_conflict use_column
declare
    v_hour  timestamptz := _traffic.now - interval '1 hour';
    v_since timestamptz := least(v_hour, coalesce(
        (select tick.swept_until from symphony.tick order by tick_id desc limit 1), '-infinity'));
begin
    return query
    with recent as materialized (
        select c.lane_id, c.claimed_at, c.lease_until, c.finished_at, c.size, c.retried, c.failed,
               c.returned, c.waited, cardinality(c.open_ids) as open
        from symphony.claim as c
        where c.lease_until > v_since and c.size > 0
        order by c.lease_until desc
        limit 10000
    )
    select lane.queue_name,
           sum(c.open),
           coalesce(sum(size) filter (where claimed_at > _traffic.now - interval '1 minute'), 0),
           coalesce(sum(size) filter (where claimed_at > v_hour), 0),
           coalesce(sum(size - c.retried - c.failed - c.returned)
               filter (where finished_at > _traffic.now - interval '1 minute'), 0),
           coalesce(sum(size - c.retried - c.failed - c.returned) filter (where finished_at > v_hour), 0),
           coalesce(sum(c.retried) filter (where claimed_at > v_hour), 0),
           sum(waited * size) filter (where claimed_at > v_hour)
               / nullif(sum(size) filter (where claimed_at > v_hour), 0) * interval '1 second',
           sum(extract(epoch from finished_at - claimed_at) * size) filter (where finished_at > v_hour)
               / nullif(sum(size) filter (where finished_at > v_hour), 0) * interval '1 second',
           seen.back_to
    from recent as c
    join symphony.lane on lane.lane_id = c.lane_id
    cross join (
        select case when count(*) < 10000 then '-infinity' else min(r.lease_until) end as back_to
        from recent as r
    ) as seen
    group by lane.queue_name, seen.back_to;
end;
$$;

comment on function symphony._traffic(timestamptz) is
$$What happened in the queues lately, for queue_stats(). It reads at most 10,000 claims.

Arguments  now
Returns    a row for each queue with claims
           back_to - claims whose lease ended before this were not read; -infinity: all were
Access     private$$;

revoke execute on function symphony._traffic(timestamptz) from public;
