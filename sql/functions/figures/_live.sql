create or replace function symphony._live(of_queue text, at_most integer)
returns table (
    queue_name text, is_new boolean, is_over boolean, claimed_at timestamptz, finished_at timestamptz,
    size integer, passed integer, open integer, retried integer, failed integer, returned integer,
    waited double precision, worked double precision
)
language plpgsql
stable
as $$
begin
    return query
    select lane.queue_name, u.is_new, u.is_over, u.claimed_at, u.finished_at, u.size, u.passed, u.open,
           u.retried, u.failed, u.returned, u.waited, u.worked
    from symphony.lane
    join symphony.tally as t on t.lane_id = lane.lane_id
    cross join lateral symphony._position(lane.lane_id) as p
    cross join lateral symphony._unfolded(t, at_most) as u
    where lane.queue_name = coalesce(of_queue, lane.queue_name)
      and (lane.is_used or exists (select from symphony.lane_use))
      and (p.claim_id > t.claim_id or t.open_claims <> '{}');
end;
$$;

comment on function symphony._live is
$$What happened in queues since they were folded.

Arguments  of_queue - null: all queues
           at_most - so many claims of a lane
Returns    queue_name - the queue of the claim; the others are those of _unfolded()
Access     private$$;
