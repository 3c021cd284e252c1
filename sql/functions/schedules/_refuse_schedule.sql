create or replace function symphony._refuse_schedule(schedule_name text)
returns void
language plpgsql
stable
as $$
begin
    raise exception 'schedule "%" does not exist', coalesce(schedule_name, '(null)')
        using errcode = 'SY006',
              detail  = case
                  when has_function_privilege(symphony._caller(), 'symphony.schedule_status(text)', 'execute')
                  then format('There are these: %s.', coalesce(
                      (select string_agg(known.schedule_name, ', ')
                       from (select s.schedule_name from symphony.schedule as s
                             order by s.schedule_name limit 20) as known),
                      '(none)'))
                  else 'Schedules are listed to operators and observers.' end,
              hint    = 'Create it with symphony.create_schedule().';
end;
$$;

comment on function symphony._refuse_schedule is
$$Say that a schedule does not exist, and to some callers which do.

Arguments  schedule_name
Raises     SY006 unknown_schedule - always
Access     private$$;
