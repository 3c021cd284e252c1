create or replace function symphony._tell_work(work jsonb, queues text[])
returns void
language plpgsql
volatile
as $$
begin
    if jsonb_typeof(work) <> 'array' or jsonb_array_length(work) > 1000 then
        raise invalid_parameter_value using message = 'it is no array of at most 1000 objects';
    end if;
    insert into symphony.work (told_at, queue_name, message_type, handled, failed, worked)
    select symphony._now(), told.queue_name, left(told.message_type, 200), told.handled, told.failed,
           coalesce(told.worked, '{}')
    from jsonb_to_recordset(work) as told (
        queue_name text, message_type text, handled integer, failed integer, worked integer[])
    where told.queue_name = any (queues);
exception
    when data_exception or integrity_constraint_violation then
        raise exception 'work cannot be read'
            using errcode = '22023',
                  detail  = format('What is wrong: %s.', rtrim(sqlerrm, '.')),
                  hint    = 'Give an array: [{"queue_name": "default", "message_type": "Mail", '
                            '"handled": 3, "failed": 1, "worked": [[13, 2], [14, 1]]}].';
end;
$$;

comment on function symphony._tell_work is
$$Keep what a worker tells of its handlers for the figures by type.

Arguments  work - as for heartbeat()
           queues - work of other queues is left out
Raises     22023 invalid_parameter_value
Writes     symphony.work
Access     private$$;
