create or replace function symphony._worker_remark(
    queue_name text,
    now        timestamptz,
    out code   text,
    out remark text
)
language sql
stable
as $$
    select o.code,
           o.sentence operator(pg_catalog.||) case o.code
               when 'workers_busy' then pg_catalog.format(': %s.', o.doing)
               when 'workers_paused' then pg_catalog.concat(', as asked by ' operator(pg_catalog.||) o.doing,
                                                            ': ', o.command)
               else pg_catalog.format(': %s', o.command) end
    from symphony._worker_obstacle(_worker_remark.queue_name, _worker_remark.now) as o
$$;

comment on function symphony._worker_remark is
$$Why no worker of a queue takes messages, and what helps, as a sentence.

Arguments  queue_name
           now
Returns    code - as _worker_obstacle() says; null: one takes some
           remark - the sentence
Access     private$$;
