create or replace function symphony._count_lane(tally symphony.tally, at_most integer)
returns integer
language plpgsql
volatile
as $$
/*
 * No row is ever added to a transaction that has ended, so what is found there is all there is.  A message
 * that is handed out meanwhile is counted, and does no harm: then the position is in its stretch.
 *
 * It is a matter of 0.1 microseconds a message.  So nothing but the index is read, and each statement
 * counts a thousand.
 */
declare
    c_size     constant integer := 1000;
    v_finished int8multirange := symphony._finished_transactions();
    v_position record;
    v_part     record;
    v_txid     bigint;
    v_id       bigint;
    v_before   bigint;
    v_to_txid  bigint;
    v_to_id    bigint;
    v_count    integer;
    v_counted  integer := 0;
begin
    select p.ahead * v_finished as ahead, p.partial_txid, p.partial_message_id into v_position
    from symphony._position(tally.lane_id) as p;
    for v_part in
        select lower(part.txids) as from_txid, part.after_id, upper(part.txids) as before_txid, part.txids
        from symphony._uncounted(tally, v_position.ahead, v_position.partial_txid,
                                 v_position.partial_message_id) as part
        order by lower(part.txids) is distinct from tally.partial_txid, part.txids
    loop
        v_txid := v_part.from_txid;
        v_id := v_part.after_id;
        v_before := v_part.before_txid;
        loop
            select m.txid, m.message_id into v_to_txid, v_to_id
            from symphony.message as m
            where m.lane_id = tally.lane_id and (m.txid, m.message_id) > (v_txid, v_id)
              and m.txid < v_before
            order by m.txid, m.message_id
            offset c_size - 1
            limit 1;
            v_count := c_size;
            if not found then
                v_to_txid := v_before - 1;
                v_to_id := 9223372036854775807;
                select count(*) into v_count
                from symphony.message as m
                where m.lane_id = tally.lane_id and (m.txid, m.message_id) > (v_txid, v_id)
                  and m.txid < v_before;
            end if;
            insert into symphony.stretch (lane_id, from_txid, after_id, to_txid, last_id, messages)
            select tally.lane_id, v_txid, v_id, v_to_txid, v_to_id, v_count
            where v_count > 0;
            v_counted := v_counted + v_count;
            exit when v_count < c_size or v_counted >= at_most;
            v_txid := v_to_txid;
            v_id := v_to_id;
        end loop;
        if v_count = c_size then    -- the rest is left to the next time
            tally.uncounted := tally.uncounted - int8multirange(v_part.txids * int8range(null, v_to_txid));
            exit;
        end if;
        tally.uncounted := tally.uncounted - int8multirange(v_part.txids);
    end loop;
    if v_counted > 0 then
        update symphony.tally as t
        set uncounted = case when v_count < c_size then tally.uncounted - v_finished
                             else tally.uncounted end,
            partial_txid       = case when v_count = c_size then v_to_txid end,
            partial_message_id = case when v_count = c_size then v_to_id end
        where t.lane_id = tally.lane_id;
    end if;
    return v_counted;
end;
$$;

comment on function symphony._count_lane is
$$Count what is pending in a lane, and is not in stretches yet.

Arguments  tally - of the lane, locked
           at_most - about so many
Returns    how many were counted. If they are as many as at_most or more, others may be left
Writes     symphony.stretch, symphony.tally
Access     private$$;
