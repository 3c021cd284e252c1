create or replace function symphony._check_queues(queues text[])
returns void
language plpgsql
stable
as $$
declare
    v_unknown text;
begin
    if coalesce(cardinality(queues), 0) = 0 then
        raise exception 'queues must name at least one queue'
            using errcode = '22023',
                  detail  = 'The array is empty or null.',
                  hint    = 'Write queues => ''{default}''.';
    end if;
    select wish into v_unknown
    from unnest(queues) as wish
    where not exists (select from symphony.queue where queue.queue_name = wish)
    limit 1;
    if found then
        perform symphony._refuse_queue(v_unknown);
    end if;
end;
$$;

comment on function symphony._check_queues is
$$Refuse a list of queues that is empty or names one that does not exist.

Arguments  queues
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
Access     private$$;
