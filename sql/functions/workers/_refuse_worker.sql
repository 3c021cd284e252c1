create or replace function symphony._refuse_worker(worker text)
returns void
language plpgsql
stable
as $$
declare
    v_count  bigint;
    v_listed text;
begin
    select count(*), string_agg(known.worker, ', ' order by known.worker) filter (where known.place <= 10)
    into v_count, v_listed
    from (select w.worker, row_number() over (order by w.worker) as place from symphony.worker as w) as known;
    raise exception 'worker "%" does not exist', _refuse_worker.worker
        using errcode = 'SY008',
              detail  = case when v_count = 0 then 'There is no worker.'
                             when v_count <= 10 then format('There are: %s.', v_listed)
                             else format('There are %s: %s, ...', v_count, v_listed) end,
              hint    = 'Look at select * from symphony.worker_overview; '
                        'a worker that was silent for a minute is forgotten.';
end;
$$;

comment on function symphony._refuse_worker is
$$Say that a worker does not exist, and which ones do.

Arguments  worker - its name
Raises     SY008 unknown_worker - always
Access     private$$;
