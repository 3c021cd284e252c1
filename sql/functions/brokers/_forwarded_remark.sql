create or replace function symphony._forwarded_remark(queue_name text, finished_at timestamptz)
returns text
language sql
stable
as $$
    select pg_catalog.format(
        'It was forwarded to the broker of transport "%1$s"%2$s. Who consumes there has it or has done it: '
        'symphony-pg consume --transport %1$s', name,
        ' at ' operator(pg_catalog.||) _forwarded_remark.finished_at::text)
    from symphony._broker_of(_forwarded_remark.queue_name) as name
    where name is not null
$$;

comment on function symphony._forwarded_remark is
$$Where a forwarded message is, as a sentence for why_not_running().

Arguments  queue_name - the outbox
           finished_at - when it was forwarded
Access     private$$;
