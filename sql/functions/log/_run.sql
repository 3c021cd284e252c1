create or replace function symphony._run(
    lane_id  integer,
    txids    int8range,
    after_id bigint,
    at_most  integer
)
returns setof symphony.message
language sql
stable
as $$
    select message.*
    from symphony.message
    where message.lane_id operator(pg_catalog.=) _run.lane_id
      and row(message.txid, message.message_id)
          operator(pg_catalog.>) row(pg_catalog.lower(txids), after_id)
      and message.txid operator(pg_catalog.<) pg_catalog.upper(txids)
    order by message.txid, message.message_id
    limit at_most
$$;

comment on function symphony._run is
$$The next messages of a lane out of one unbroken run of transactions, in order.

Arguments  lane_id
           txids - the run, with both bounds
           after_id - the last message that is already handed out of the first of them, or 0
           at_most - null: all
Returns    rows of symphony.message. It reads no others than these
Access     private$$;
