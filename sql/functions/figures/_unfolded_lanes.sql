create or replace function symphony._unfolded_lanes()
returns setof integer
language plpgsql
stable
as $$
begin
    return query
    select t.lane_id
    from symphony.lane
    join symphony.tally as t on t.lane_id = lane.lane_id
    cross join lateral symphony._position(lane.lane_id) as p
    where lane.is_used
      and (p.claim_id > t.claim_id or t.open_claims <> '{}' or exists (
          select
          from symphony._uncounted(t, p.ahead, p.partial_txid, p.partial_message_id) as part
          cross join lateral symphony._run(t.lane_id, part.txids, part.after_id, 1)));
end;
$$;

comment on function symphony._unfolded_lanes is
$$The lanes in which something may have happened since they were folded.

Access     private$$;
