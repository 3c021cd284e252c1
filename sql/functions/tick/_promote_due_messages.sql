create or replace function symphony._promote_due_messages(from_time timestamptz, now timestamptz)
returns integer
language plpgsql
volatile
as $$
declare
    v_ids bigint[];
begin
    v_ids := array(
        select delayed_message.message_id
        from symphony.delayed_message
        where delayed_message.available_at > from_time
          and delayed_message.available_at <= _promote_due_messages.now
        order by delayed_message.available_at
        limit 1000
        for update skip locked);
    if v_ids <> '{}' then
        perform symphony._promote(v_ids);
    end if;
    return cardinality(v_ids);
end;
$$;

comment on function symphony._promote_due_messages is
$$Move delayed messages whose time has come into the log.

Arguments  from_time - those that became due after this
           now - and not after this
Returns    how many, at most 1000 at once
Writes     symphony.delayed_message, symphony.message; NOTIFY if a worker sleeps
Access     private$$;
