create or replace function symphony._forwarded_remark(queue_name text, finished_at timestamptz)
returns text
language sql
stable
as $$
    select pg_catalog.format(
        'It was forwarded to the broker of transport "%1$s"%2$s. Who consumes there has it or has done it: '
        'symphony-pg consume --transport %1$s', transport.transport_name,
        ' at ' operator(pg_catalog.||) _forwarded_remark.finished_at::text)
    from symphony.transport
    where transport.queue_name operator(pg_catalog.=) _forwarded_remark.queue_name
      and symphony._is_broker(transport.transport_type)
$$;

comment on function symphony._forwarded_remark(text, timestamptz) is
$$Where a forwarded message is, as a sentence for why_not_running().

Arguments  queue_name - the outbox
           finished_at - when it was forwarded
Access     private$$;

revoke execute on function symphony._forwarded_remark(text, timestamptz) from public;
