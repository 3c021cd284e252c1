create or replace function symphony._pending(lane_id integer, at_most integer default null,
    within int8multirange default '{(,9223372036854775807)}')
returns setof symphony.message
language sql
stable
as $$
    /* The rest of the transaction that the last claim ended in the middle of comes first. */
    select pending.*
    from symphony._position(_pending.lane_id) as position,
    lateral (
        select pg_catalog.int8range(position.partial_txid, position.partial_txid, '[]') as txids,
               position.partial_message_id as after_id
        where position.partial_txid is not null
        union all
        select other.txids, 0
        from pg_catalog.unnest(
            position.ahead operator(pg_catalog.*) within
            operator(pg_catalog.-) symphony._txids(position.partial_txid)) as other (txids)
    ) as part,
    lateral symphony._run(_pending.lane_id, part.txids, part.after_id, at_most) as pending
    limit at_most
$$;

comment on function symphony._pending is
$$The messages of a lane that are to be handed out, in order, as far as this statement sees them.

Arguments  lane_id
           at_most - null: all
           within - only those of these transactions
Returns    rows of symphony.message. It reads no others than these
Access     private$$;
