create or replace function symphony._broken_figures()
returns table (invariant text, detail text)
language plpgsql
stable
as $$
begin
    return query
    select 'what is pending is counted', format('lane %s has %s pending messages, and %s by its stretches',
                                                lane.lane_id, p.messages, d.pending)
    from symphony.lane
    cross join lateral (select count(*) as messages from symphony._pending(lane.lane_id)) as p
    cross join lateral symphony._depth(lane.lane_id, null) as d
    where p.messages <> d.pending;

    return query
    select 'a claim is counted once', format('claim %s of lane %s is open, and counted as over',
                                             c.claim_id, c.lane_id)
    from symphony.claim as c
    join symphony.tally as t on t.lane_id = c.lane_id
    where c.open_ids <> '{}' and c.claim_id <= t.claim_id and c.claim_id <> all (t.open_claims);

    return query
    select 'a claim is counted before it goes', format('claim %s of lane %s', o.claim_id, t.lane_id)
    from symphony.tally as t
    cross join lateral unnest(t.open_claims) as o (claim_id)
    where not exists (select from symphony.claim as c where c.claim_id = o.claim_id);

    return query
    select 'a claim is counted before it goes', format(
        'lane %s is purged up to claim %s, and counted up to %s', t.lane_id, p.claim_id, t.claim_id)
    from symphony.tally as t
    join symphony.purge_position as p on p.lane_id = t.lane_id
    where p.claim_id > t.claim_id;

    return query
    select 'figures are no more than the tally', format('lane %s', t.lane_id)
    from symphony.tally as t
    cross join lateral (
        select sum(f.arrived) as arrived, sum(f.claimed) as claimed,
               sum(f.completed + f.retried + f.failed + f.returned) as ended
        from symphony.figure as f where f.lane_id = t.lane_id
    ) as s
    where s.arrived > t.arrived or s.claimed > t.claimed
       or s.ended > t.completed + t.retried + t.failed + t.returned
       or t.completed + t.retried + t.failed + t.returned > t.claimed;

    return query
    select 'what came in is pending or passed', format('lane %s', a.lane_id)
    from (select t.lane_id, t.arrived, t.passed + d.pending
                 + (select coalesce(sum(coalesce(c.passed, c.size)), 0) from symphony.claim as c
                    where c.lane_id = t.lane_id and c.claim_id > t.claim_id) as is_now
          from symphony.tally as t
          cross join lateral symphony._depth(t.lane_id, null) as d) as a
    where a.arrived > a.is_now;
end;
$$;

comment on function symphony._broken_figures is
$$The invariants of figures, for check().

Access     private$$;
