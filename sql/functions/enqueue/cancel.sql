create or replace function symphony.cancel(message_id bigint)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/*
 * A pending message may be taken by a claim at any moment, so the lane is locked first and
 * its position read after that.  A message that is nowhere may have moved while it was looked for,
 * so the last look is one statement; what it finds has started.
 */
declare
    v_lane_id integer;
    v_txid    bigint;
begin
    if not symphony._is_hidden('{producer}', cancel.message_id) then
        delete from symphony.delayed_message as d where d.message_id = cancel.message_id;
        if found then
            perform symphony._free_held(array[cancel.message_id]);
            perform symphony._forget(array[cancel.message_id]);
            perform symphony._free_keys(array[cancel.message_id]);
            return true;
        end if;
        select m.lane_id into v_lane_id
        from symphony.message as m
        where m.message_id = cancel.message_id;
        if found then
            perform symphony._check_isolation();
            perform symphony._lock_lane(v_lane_id);
            delete from symphony.message as m
            using symphony._position(v_lane_id) as p
            where m.message_id = cancel.message_id
              and m.lane_id = v_lane_id
              and (symphony._is_ahead(m.txid, m.message_id, p.ahead, p.partial_txid, p.partial_message_id)
                   or exists (select from symphony.parked where parked.message_id = m.message_id))
            returning m.txid into v_txid;
            if not found then
                return false;
            end if;
            delete from symphony.parked where parked.message_id = cancel.message_id;
            if not found then
                perform symphony._uncount(v_lane_id, v_txid, cancel.message_id);
            end if;
            perform symphony._free_held(array[cancel.message_id]);
            perform symphony._forget(array[cancel.message_id]);
            perform symphony._free_keys(array[cancel.message_id]);
            return true;
        end if;
        if exists (
            select from symphony._all_messages() as held where held.message_id = cancel.message_id)
        then
            return false;
        end if;
    end if;
    perform symphony._refuse_unknown_message(cancel.message_id);
end;
$$;

comment on function symphony.cancel is
$$Remove a message that has not started. Its idempotency key is free then.

Arguments  message_id - from enqueue()
Returns    true, or false if it was too late: the message is being processed, completed or failed
Raises     SY003 unknown_message
           SY011 wrong_isolation_level - the message is pending
Writes     symphony.message or symphony.delayed_message, symphony.parked, and what _forget(),
           _free_keys(), _free_held() and _uncount() write
Locks      the lane of a pending message, and its tally, until the transaction ends
Access     producer$$;
