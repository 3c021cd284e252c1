create or replace function symphony._uncounted(
    tally      symphony.tally,
    ahead      int8multirange,
    partial_txid       bigint,
    partial_message_id bigint
)
returns table (txids int8range, after_id bigint)
language sql
immutable
as $$
    /* A transaction that is handed out in part, or counted in part, comes as a part of its own. */
    select part.txids, part.after_id
    from (
        select pg_catalog.int8range(half.txid, half.txid, '[]'), pg_catalog.max(half.message_id)
        from (values (_uncounted.partial_txid, _uncounted.partial_message_id),
                     (tally.partial_txid, tally.partial_message_id)) as half (txid, message_id)
        where half.txid operator(pg_catalog.<@) (ahead operator(pg_catalog.*) tally.uncounted)
        group by half.txid
        union all
        select other.txids, 0
        from pg_catalog.unnest(
            ahead operator(pg_catalog.*) tally.uncounted
            operator(pg_catalog.*) '{(,9223372036854775807)}'
            operator(pg_catalog.-) symphony._txids(_uncounted.partial_txid)
            operator(pg_catalog.-) symphony._txids(tally.partial_txid)) as other (txids)
    ) as part (txids, after_id)
$$;

comment on function symphony._uncounted is
$$Where the messages of a lane are that are to be handed out, and not in stretches.

Arguments  tally - of the lane
           ahead, partial_txid, partial_message_id - its position, or a part of it
Returns    txids - an unbroken run of transactions
           after_id - the last message of the first of them that is not among these, or 0
Access     private$$;
