create or replace function symphony._relay_remark(queue_name text, now timestamptz)
returns text
language plpgsql
stable
as $$
declare
    v_name  text := symphony._broker_of(queue_name);
    v_state record;
begin
    if v_name is null or exists (
        select from symphony.worker
        where _relay_remark.queue_name = any (worker.queues) and not worker.details ?| '{relay,transport}'
          and worker.seen_at > _relay_remark.now - (symphony._thresholds()).silent)
    then
        return null;
    end if;
    v_state := symphony._relays(v_name, now);
    return case
        when v_state.state is null then format(
            'No relay serves transport "%1$s": symphony-pg relay %1$s', v_name)
        when v_state.state = 'full' then format(
            'The broker of transport "%s" has taken no more since %s: %s', v_name, v_state.since,
            v_state.last_error)
        when v_state.state = 'down' then format(
            'The broker of transport "%s" has been down since %s: %s', v_name, v_state.since,
            v_state.last_error) end;
end;
$$;

comment on function symphony._relay_remark is
$$Why messages of an outbox are not forwarded, as a sentence for why_not_running().

Arguments  queue_name
           now
Returns    null: it is no outbox, or its broker is up, or a worker works it off itself
Access     private$$;
