create or replace function symphony._move_back(
    out moved_by bigint,
    out messages bigint,
    out enqueued_here bigint
)
language sql
volatile
as $$
    /* A row was enqueued here if its txid and the xid that wrote it are of one transaction.  Either
       they are the same, or the row was written within a savepoint, by a later xid.  That xid is
       then later than the marks, which a dump holds behind the messages, and the message's id is
       one that the sequence gave out.  Whatever the numbers, a row was copied if the same xid wrote
       rows of several transactions, or if a claim holds it, or if it is parked.  In doubt it counts
       as enqueued here, and is delivered. */
    with own as materialized (
        select pg_current_xact_id()::text::bigint as txid,
               pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest,
               coalesce(pg_sequence_last_value('symphony.message_id_seq'), 0) as last_id
    ), mark as materialized (
        select coalesce(max(symphony._full_xid(server_mark.xmin, own.txid)), 0) as written_by
        from symphony.server_mark, own
    ), message as materialized (
        select m.message_id, m.txid,
               m.txid <= w.written_by
               and (m.txid = w.written_by
                    or w.written_by > mark.written_by and m.message_id <= own.last_id)
               and m.xmin not in (
                   select copied.xmin from symphony.message as copied
                   group by copied.xmin having min(copied.txid) <> max(copied.txid))
               and m.message_id not in (select unnest(claim.open_ids) from symphony.claim)
               and m.message_id not in (select parked.message_id from symphony.parked) as is_here
        from symphony.message as m
        cross join own
        cross join mark
        cross join lateral (select symphony._full_xid(m.xmin, own.txid) as written_by) as w
    ), move as materialized (
        select greatest(0, greatest(
                   (select max(message.txid) + 1 from message where not message.is_here),
                   (select max(coalesce(upper(part), lower(part)))
                    from symphony.claim, unnest(claim.ahead) as part),
                   (select max(claim.partial_txid) + 1 from symphony.claim))
               - least(own.oldest, (select min(message.txid) from message where message.is_here))) as by
        from own
    ), moved_messages as (
        update symphony.message as m
        set txid = m.txid - move.by
        from message, move
        where m.message_id = message.message_id and m.txid = message.txid
          and not message.is_here and move.by > 0
        returning 1
    ), moved_claims as (
        update symphony.claim
        set partial_txid = claim.partial_txid - move.by,
            ahead = (select range_agg(int8range(lower(part) - move.by, upper(part) - move.by))
                     from unnest(claim.ahead) as part)
        from move
        where move.by > 0
    ), moved_purges as (
        update symphony.purge_position as p set txid = p.txid - move.by from move where move.by > 0
    )
    select move.by, (select count(*) from moved_messages),
           (select count(*) from message where message.is_here)
    from move
$$;

comment on function symphony._move_back is
$$Lower all transaction ids that came with a copy until they lie before those of this server. Their
order stays, so each message is where it was, and what is enqueued here lies ahead of each
position.

Returns    moved_by - by how much; 0: they lay there already
           messages - how many were changed
           enqueued_here - how many were enqueued since the copy, and not changed
Writes     symphony.message, symphony.claim, symphony.purge_position
Access     private$$;
