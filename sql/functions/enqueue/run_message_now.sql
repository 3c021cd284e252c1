create or replace function symphony.run_message_now(message_id bigint)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
    v_status text;
begin
    if not symphony._is_hidden('{operator}', run_message_now.message_id) then
        perform from symphony.delayed_message as d
        where d.message_id = run_message_now.message_id
        for update;
        if found then
            perform symphony._promote(array[run_message_now.message_id]);
            perform symphony._audit('run_message_now', jsonb_build_object('message_id', message_id));
            return;
        end if;
        select s.status into v_status from symphony._message_status(run_message_now.message_id) as s;
    end if;
    if v_status is null then
        perform symphony._refuse_unknown_message(run_message_now.message_id);
    end if;
    raise exception 'message % does not wait for its time: it is %', run_message_now.message_id, v_status
        using errcode = '55000',
              detail  = symphony.why_not_running(run_message_now.message_id),
              hint    = case
                  when v_status in ('pending', 'waiting') then 'It is its turn as soon as may be.'
                  when v_status = 'failed' then 'Bring it back: symphony-pg failed retry '
                                                || run_message_now.message_id || '.'
                  when v_status = 'processing' then 'A worker has it.'
                  else 'To do the work again, enqueue another message.' end;
end;
$$;

comment on function symphony.run_message_now is
$$Let a message that waits for its time run now: one that was delayed, is to be retried, or was put
off. It is pending then, behind those that are. Its attempts and its expiry stay.

Arguments  message_id - from enqueue()
Raises     SY003 unknown_message
           55000 object_not_in_prerequisite_state - it does not wait for its time
Writes     symphony.delayed_message, symphony.message, symphony.audit; NOTIFY if a worker sleeps
Access     operator$$;
