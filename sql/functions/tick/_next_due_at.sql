create or replace function symphony._next_due_at(from_time timestamptz, now timestamptz)
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
         limit 1),
        (select min(symphony._paced_until(queue, _next_due_at.now))
         from symphony.queue
         where (queue.rate is not null or queue.key_rate is not null)
           and symphony._has_pending(array(select lane.lane_id from symphony.lane
                                           where lane.queue_name = queue.queue_name and lane.is_used))));
end;
$$;

comment on function symphony._next_due_at is
$$When the next delayed message or schedule is due, or a rate allows the next of what waits.

Arguments  from_time - what was due before has been dealt with
           now
Access     private$$;
