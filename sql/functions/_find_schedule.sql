create or replace function symphony._find_schedule(schedule_name text)
returns symphony.schedule
language plpgsql
volatile
as $$
declare
    v_schedule symphony.schedule;
begin
    select * into v_schedule
    from symphony.schedule as s
    where s.schedule_name = _find_schedule.schedule_name
    for update;
    if not found then
        raise exception 'schedule "%" does not exist',
                        coalesce(_find_schedule.schedule_name, '(null)')
            using errcode = 'SY006',
                  detail  = format('There are these: %s.', coalesce(
                      (select string_agg(known.schedule_name, ', ')
                       from (select s.schedule_name from symphony.schedule as s
                             order by s.schedule_name limit 20) as known),
                      '(none)')),
                  hint    = 'Create it with symphony.create_schedule().';
    end if;
    return v_schedule;
end;
$$;

comment on function symphony._find_schedule(text) is
$$A schedule by its name, locked.

Arguments  schedule_name
Raises     SY006 unknown_schedule
Access     private$$;

revoke execute on function symphony._find_schedule(text) from public;
