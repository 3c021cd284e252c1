create or replace function symphony._next_due_at(from_time timestamptz)
returns timestamptz
language plpgsql
stable
as $$
begin
    return least(
        (select delayed_message.available_at
         from symphony.delayed_message
         where delayed_message.available_at > from_time
         order by delayed_message.available_at
         limit 1),
        (select schedule.next_run_at
         from symphony.schedule
         where schedule.enabled and schedule.next_run_at is not null
         order by schedule.next_run_at
         limit 1));
end;
$$;

comment on function symphony._next_due_at(timestamptz) is
$$When the next delayed message or schedule is due.

Arguments  from_time - what was due before has been dealt with
Access     private$$;

revoke execute on function symphony._next_due_at(timestamptz) from public;
