create or replace function symphony.obstacles()
returns table (obstacle text, detail text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select 'one session has the turn ' || held.turn_name, format('It is %s.', held.who)
    from symphony._held_locks() as held
    where held.turn_name is not null;
    return query
    select format('a lane of queue %s is locked', held.queue_name),
           format('It is the one of priority %s, held by %s.', held.priority, held.who)
    from symphony._held_locks() as held
    where held.lane_id is not null;
    return query
    select 'the NOTIFY queue of the server fills up', concat_ws(' ', found.sentence, found.cause)
    from symphony._notify_incidents() as found;
end;
$$;

comment on function symphony.obstacles is
$$What stands in the way of all: another session that has locked the tick or a lane, and a NOTIFY
queue that fills up. health() tells what has been so for long.

Returns    a row for each. Without a row there is nothing. What a session does only for a moment can
           be seen, too: look again
           obstacle - what there is
           detail - who it is: the process, the role, the application, and what it does
Access     operator, observer$$;
