create or replace function symphony._wait_remark(available_at timestamptz, reason text, now timestamptz)
returns text
language plpgsql
stable
as $$
begin
    if available_at > now then
        return format('It waits until %s%s.', available_at, ': ' || reason);
    elsif symphony._turn_holder('tick') is null and now - interval '5 seconds' < (
        select tick.ticked_at from symphony.tick order by tick.tick_id desc limit 1)
    then
        return format('It has been due since %s: symphony.tick() finds it within a minute.', available_at);
    end if;
    return format('It has been due since %s, but %s.', available_at, symphony._tick_remark());
end;
$$;

comment on function symphony._wait_remark is
$$What a delayed message waits for, as a sentence for why_not_running().

Arguments  available_at - when it is due
           reason - why it was put off; null: it was delayed
           now
Access     private$$;
