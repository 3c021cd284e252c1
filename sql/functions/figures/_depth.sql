create or replace function symphony._depth(lane_id integer, at_most integer)
returns table (pending bigint, is_exact boolean)
language sql
stable
as $$
    /* It is one statement that can be inlined: queue_stats() asks it of every lane. */
    select counted.messages + other.messages, (other.messages < at_most) is not false
    from symphony.tally as t
    cross join lateral (select * from symphony._position(t.lane_id) offset 0) as p
    cross join lateral (
        select coalesce(sum(case
                   when s.txids <@ p.ahead
                        and ((p.partial_txid, p.partial_message_id) <= (s.from_txid, s.after_id)
                             or p.partial_txid > s.to_txid) is not false
                   then s.messages
                   when (s.to_txid, s.last_id) <= (p.partial_txid, p.partial_message_id)
                        and s.txids * p.ahead = symphony._txids(p.partial_txid)
                   then 0
                   else (select count(*)
                         from unnest(p.ahead * s.txids) as part
                         join symphony.message as m
                             on m.lane_id = t.lane_id
                             and (m.txid, m.message_id) > (
                                 lower(part), case when lower(part) = s.from_txid then s.after_id else 0 end)
                             and (m.txid, m.message_id) <= (s.to_txid, s.last_id)
                             and m.txid < upper(part)
                         where symphony._is_ahead(m.txid, m.message_id, p.ahead, p.partial_txid,
                                                  p.partial_message_id))
                   end), 0)::bigint as messages
        from (select stretch.*, int8multirange(int8range(stretch.from_txid, stretch.to_txid, '[]')) as txids
              from symphony.stretch where stretch.lane_id = t.lane_id) as s
        where not isempty(s.txids * p.ahead)
    ) as counted
    cross join lateral (
        select count(*) as messages
        from (select
              from symphony._uncounted(t, p.ahead, p.partial_txid, p.partial_message_id) as part
              cross join lateral symphony._run(t.lane_id, part.txids, part.after_id, at_most)
              limit at_most) as found
    ) as other
    where t.lane_id = _depth.lane_id
$$;

comment on function symphony._depth is
$$How many messages of a lane are to be handed out, as far as this statement sees them.

Arguments  lane_id
           at_most - of those that are not in stretches yet, this many are counted; null: all
Returns    pending - how many there are
           is_exact - false: there may be more
Access     private$$;
