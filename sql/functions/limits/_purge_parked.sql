create or replace function symphony._purge_parked(queue_name text, finished int8multirange)
returns bigint
language plpgsql
volatile
as $$
/*
 * A head that is pending is dropped with the others, and holds its key no longer.  One that is delayed,
 * failed or in the hands of a worker stays, and so does its key.
 */
declare
    v_ids bigint[];
begin
    perform symphony._free_held(array(
        select m.message_id
        from symphony.held_key as h
        join symphony.message as m on m.message_id = h.message_id and m.txid <@ finished
        cross join symphony._position(m.lane_id) as p
        where h.queue_name = _purge_parked.queue_name
          and (symphony._is_ahead(m.txid, m.message_id, p.ahead, p.partial_txid, p.partial_message_id)
               or exists (select from symphony.parked where parked.message_id = m.message_id))));
    with gone as (
        delete from symphony.parked
        using symphony.message
        where parked.queue_name = _purge_parked.queue_name
          and message.message_id = parked.message_id and message.txid <@ finished
        returning parked.message_id
    ), dropped as (
        delete from symphony.message
        using gone
        where message.message_id = gone.message_id
    )
    select array_agg(gone.message_id) into v_ids from gone;
    perform symphony._forget(v_ids);
    perform symphony._free_keys(v_ids);
    return coalesce(cardinality(v_ids), 0);
end;
$$;

comment on function symphony._purge_parked is
$$Drop the messages of a queue that wait for their keys.

Arguments  queue_name - its lanes are locked
           finished - what _finished_transactions() says
Returns    how many
Writes     symphony.message, symphony.parked, symphony.held_key, symphony.freed_key, and what
           _forget() and _free_keys() write
Access     private$$;
