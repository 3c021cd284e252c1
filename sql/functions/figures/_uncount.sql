create or replace function symphony._uncount(lane_id integer, txid bigint, message_id bigint)
returns void
language plpgsql
volatile
as $$
/*
 * A fold that has just counted the message has the tally until it commits, and then its stretch can be
 * seen; one that comes later does not find the message.
 */
begin
    update symphony.tally as t set passed = t.passed + 1 where t.lane_id = _uncount.lane_id;
    update symphony.stretch as s
    set messages = s.messages - 1
    where s.lane_id = _uncount.lane_id
      and (s.from_txid, s.after_id) < (_uncount.txid, _uncount.message_id)
      and (s.to_txid, s.last_id) >= (_uncount.txid, _uncount.message_id);
end;
$$;

comment on function symphony._uncount is
$$Note that a pending message was cancelled.

Arguments  lane_id - of the message; the lane is locked
           txid - of the message
           message_id
Writes     symphony.tally, symphony.stretch
Locks      the tally of the lane until the transaction ends
Access     private$$;
