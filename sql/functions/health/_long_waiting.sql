create or replace function symphony._long_waiting(now timestamptz)
returns table (queue_name text, since timestamptz, claimed_at timestamptz)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
    return query
    select w.queue_name, min(w.since), max(w.claimed_at)
    from symphony._waiting() as w
    join symphony.queue as q on q.queue_name = w.queue_name and q.paused_at is null
    where not w.is_held
    group by w.queue_name
    having min(w.since) < _long_waiting.now - (symphony._thresholds()).waiting;
end;
$$;

comment on function symphony._long_waiting is
$$The queues in which a message has been due for long, though nobody holds it back.

Arguments  now
Returns    queue_name
           since - since when the first message has been due
           claimed_at - when something was claimed last
Access     private$$;
