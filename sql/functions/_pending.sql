create or replace function symphony._pending(
    lane_id  integer,
    finished int8multirange default '{(,9223372036854775807)}',
    at_most  integer default null
)
returns setof symphony.message
language sql
stable
as $$
    /* First the rest of the transaction that the last claim ended in the middle of. */
    select pending.*
    from symphony._position(_pending.lane_id) as position,
    lateral (
        select position.partial_txid as first_txid,
               position.partial_txid operator(pg_catalog.+) 1 as end_txid,
               position.partial_message_id as after_message_id
        where position.partial_txid is not null
        union all
        select pg_catalog.lower(other.part), pg_catalog.upper(other.part), 0
        from (
            select pg_catalog.unnest(
                position.ahead operator(pg_catalog.*) finished operator(pg_catalog.-)
                symphony._txids(position.partial_txid)) as part
        ) as other
    ) as part,
    lateral (
        select message.*
        from symphony.message
        where message.lane_id operator(pg_catalog.=) _pending.lane_id
          and row(message.txid, message.message_id)
              operator(pg_catalog.>) row(part.first_txid, part.after_message_id)
          and message.txid operator(pg_catalog.<) part.end_txid
        order by message.txid, message.message_id
        limit at_most
    ) as pending
    limit at_most
$$;

comment on function symphony._pending(integer, int8multirange, integer) is
$$The messages of a lane that are still to be handed out, in the order in which they will be.

Arguments  lane_id; finished - transactions to look at, from _finished_transactions(), or all that
           this statement sees; at_most - null: all
Returns    rows of symphony.message; reads no others than these
Access     private$$;

revoke execute on function symphony._pending(integer, int8multirange, integer) from public;
