create or replace function symphony._take_home(
    inout message_id bigint,
    attempt          integer,
    transport        symphony.transport,
    out is_known     boolean,
    out kept         symphony.message
)
language plpgsql
volatile
as $$
/*
 * A consumer may be faster than the relay, which still has the message open: then it is settled there, as
 * forwarded.  The row of the claim comes first, as always, and the state counts that is seen with it locked.
 */
declare
    v_state record;
begin
    select s.status, s.claim_id, s.queue_name into v_state
    from symphony._message_status(_take_home.message_id) as s;
    is_known := false;
    if not symphony._leads_there(v_state.queue_name, transport)
       or _take_home.message_id not between 1 and (
           select drawn.last_value from symphony.message_id_seq as drawn)
    then
        _take_home.message_id := null;
        return;
    end if;
    if v_state.status = 'processing' then
        perform from symphony.claim as c where c.claim_id = v_state.claim_id for no key update;
        select s.status, s.claim_id into v_state from symphony._message_status(_take_home.message_id) as s;
        if v_state.status = 'processing' then
            perform symphony._settle(v_state.claim_id, array[_take_home.message_id]);
            v_state.status := 'forwarded';
        end if;
    end if;
    is_known := coalesce(v_state.status <> all ('{forwarded,completed,removed}'), false);
    if not is_known and v_state.status is not null then
        delete from symphony.message as m
        where m.message_id = _take_home.message_id and m.attempt < _take_home.attempt
        returning m.* into kept;
        is_known := not found;
    end if;
end;
$$;

comment on function symphony._take_home is
$$Take a forwarded message out of the log, since it comes home.

Arguments  message_id
           attempt - the delivery that did not succeed
           transport - that it came by
Returns    message_id - null: it is of a queue that does not lead there, or was never drawn
           is_known - true: it is home already, or a later delivery of it went out; nothing was
               changed
           kept - what was in the log; null: it was purged meanwhile
Writes     symphony.message, symphony.claim if a relay has it
Access     private$$;
