create or replace function symphony._fold_lane(
    lane_id   integer,
    minute_at timestamptz,
    out messages integer,
    out claims   integer
)
language plpgsql
volatile
as $$
/*
 * Claims, position and depth are read by one statement, so that what was passed and what is pending make up
 * what came in.
 */
declare
    c_claims   constant integer := 5000;
    c_messages constant integer := 100000;
    v_tally symphony.tally;
    v_new   record;
begin
    messages := 0;
    claims := 0;
    select * into v_tally from symphony.tally
    where tally.lane_id = _fold_lane.lane_id for no key update skip locked;
    if not found then
        return;
    end if;
    messages := symphony._count_lane(v_tally, c_messages);
    with recent as materialized (
        select * from symphony._unfolded(v_tally, c_claims)
    ), walked as (
        select max(r.claim_id) filter (where r.is_new) as last_id, count(*) filter (where r.is_new) as claims,
               coalesce(sum(r.passed), 0) as passed,
               coalesce(array_agg(r.claim_id order by r.claim_id) filter (where not r.is_over), '{}') as open
        from recent as r
    ), arrival as (
        select depth.pending + v_tally.passed + walked.passed as messages
        from walked, symphony._depth(_fold_lane.lane_id, 10000) as depth
        where depth.is_exact and walked.claims < c_claims
    ), part as (
        select least(date_trunc('minute', e.at), minute_at) as begins_at, e.is_end,
               symphony._bucket(e.seconds) as bucket, sum(r.size)::integer as messages,
               sum(r.size * e.seconds) as seconds, sum(r.retried) as retried, sum(r.failed) as failed,
               sum(r.returned) as returned
        from recent as r
        cross join lateral (
            values (false, r.claimed_at, r.waited), (true, r.finished_at, r.worked)
        ) as e (is_end, at, seconds)
        where r.size > 0 and case when e.is_end then r.is_over else r.is_new end
        group by 1, 2, 3
        union all
        select minute_at, null, null, a.messages - v_tally.arrived, 0, 0, 0, 0
        from arrival as a where a.messages <> v_tally.arrived
    ), folded as (
        insert into symphony.figure (
            lane_id, is_hour, begins_at, arrived, claimed, completed, retried, failed, returned,
            waited_seconds, worked_seconds, waited, worked)
        select _fold_lane.lane_id, false, p.begins_at,
               coalesce(sum(p.messages) filter (where p.is_end is null), 0),
               coalesce(sum(p.messages) filter (where not p.is_end), 0),
               coalesce(sum(p.messages - p.retried - p.failed - p.returned) filter (where p.is_end), 0),
               coalesce(sum(p.retried) filter (where p.is_end), 0),
               coalesce(sum(p.failed) filter (where p.is_end), 0),
               coalesce(sum(p.returned) filter (where p.is_end), 0),
               coalesce(sum(p.seconds) filter (where not p.is_end), 0),
               coalesce(sum(p.seconds) filter (where p.is_end), 0),
               coalesce(array_agg(p.pair order by p.bucket) filter (where not p.is_end), '{}'),
               coalesce(array_agg(p.pair order by p.bucket) filter (where p.is_end), '{}')
        from (select part.*, array[part.bucket, part.messages] as pair from part) as p
        group by p.begins_at
        returning figure.*
    )
    select walked.*, array(select row(folded.*)::symphony.figure from folded) as figures into v_new
    from walked;
    claims := v_new.claims;
    if v_new.last_id is not null or v_new.open <> v_tally.open_claims or v_new.figures <> '{}' then
        perform symphony._add_to_tally(lane_id, v_new.last_id, v_new.open, v_new.passed, v_new.figures);
    end if;
end;
$$;

comment on function symphony._fold_lane is
$$Add what happened in a lane since the last fold to its figures.

Arguments  lane_id
           minute_at - what happened later counts for this minute
Returns    messages - how many pending messages were counted
           claims - how many claims were gone through. A lane whose tally another session holds is
               left out
Writes     symphony.figure, symphony.tally, symphony.stretch
Access     private$$;
