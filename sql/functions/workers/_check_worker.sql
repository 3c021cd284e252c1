create or replace function symphony._check_worker(worker text, queues text[])
returns void
language plpgsql
stable
as $$
begin
    if coalesce(worker, '') = '' then
        raise exception 'worker must be a name'
            using errcode = '22023',
                  detail  = 'It is null or empty.',
                  hint    = 'Give the name that the worker claims with.';
    end if;
    if symphony._is_limited() then
        perform symphony._check_use('{consumer}', queues);
        if not symphony._may_speak_for(worker) then
            raise exception 'permission denied for worker "%"', worker
                using errcode = '42501',
                      detail  = 'It consumes queues that the role may not use.',
                      hint    = 'Give each worker a name of its own.';
        end if;
    end if;
    perform symphony._check_queues(queues);
end;
$$;

comment on function symphony._check_worker is
$$Refuse what a worker says of itself if that cannot be right.

Arguments  worker - its name
           queues - those it consumes
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
           42501 insufficient_privilege
Access     private$$;
