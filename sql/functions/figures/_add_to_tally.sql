create or replace function symphony._add_to_tally(
    lane_id     integer,
    claim_id    bigint,
    open_claims bigint[],
    passed      bigint,
    figures     symphony.figure[]
)
returns void
language plpgsql
volatile
as $$
declare
    v_figure symphony.figure;
begin
    update symphony.tally as t
    set claim_id    = coalesce(_add_to_tally.claim_id, t.claim_id),
        open_claims = _add_to_tally.open_claims,
        passed      = t.passed + _add_to_tally.passed
    where t.lane_id = _add_to_tally.lane_id;
    foreach v_figure in array figures loop
        update symphony.tally as t
        set arrived        = t.arrived + v_figure.arrived,
            claimed        = t.claimed + v_figure.claimed,
            completed      = t.completed + v_figure.completed,
            retried        = t.retried + v_figure.retried,
            failed         = t.failed + v_figure.failed,
            returned       = t.returned + v_figure.returned,
            waited_seconds = t.waited_seconds + v_figure.waited_seconds,
            worked_seconds = t.worked_seconds + v_figure.worked_seconds,
            waited         = symphony._merged(t.waited || v_figure.waited::bigint[]),
            worked         = symphony._merged(t.worked || v_figure.worked::bigint[])
        where t.lane_id = _add_to_tally.lane_id;
    end loop;
    delete from symphony.stretch as s
    using symphony._position(_add_to_tally.lane_id) as p
    where s.lane_id = _add_to_tally.lane_id
      and isempty(p.ahead * int8multirange(int8range(s.from_txid, s.to_txid, '[]'))
                  - case when (s.to_txid, s.last_id) <= (p.partial_txid, p.partial_message_id)
                         then symphony._txids(p.partial_txid) else '{}' end);
end;
$$;

comment on function symphony._add_to_tally is
$$Note how far a lane is folded, and forget the stretches behind its position.

Arguments  lane_id
           claim_id - the last claim that was gone through; null: there was no new one
           open_claims - those that are not over
           passed - how many messages are pending no longer
           figures - what was added to the figures
Writes     symphony.tally, symphony.stretch
Access     private$$;
