create or replace function symphony._depth(
    lane_id      integer,
    at_most      integer,
    out pending  bigint,
    out is_exact boolean
)
language plpgsql
stable
as $$
declare
    v_tally    symphony.tally;
    v_position record;
    v_counted  bigint;
begin
    select * into v_position from symphony._position(_depth.lane_id);
    select * into v_tally from symphony.tally where tally.lane_id = _depth.lane_id;
    select coalesce(sum(case
               when s.txids <@ v_position.ahead
                    and ((v_position.partial_txid, v_position.partial_message_id) <= (s.from_txid, s.after_id)
                         or v_position.partial_txid > s.to_txid) is not false
               then s.messages
               when (s.to_txid, s.last_id) <= (v_position.partial_txid, v_position.partial_message_id)
                    and s.txids * v_position.ahead = symphony._txids(v_position.partial_txid)
               then 0
               else (select count(*)
                     from unnest(v_position.ahead * s.txids) as part
                     join symphony.message as m
                         on m.lane_id = _depth.lane_id
                         and (m.txid, m.message_id) > (
                             lower(part), case when lower(part) = s.from_txid then s.after_id else 0 end)
                         and (m.txid, m.message_id) <= (s.to_txid, s.last_id)
                         and m.txid < upper(part)
                     where symphony._is_ahead(m.txid, m.message_id, v_position.ahead,
                                              v_position.partial_txid, v_position.partial_message_id))
               end), 0)
    into v_counted
    from (select stretch.*, int8multirange(int8range(stretch.from_txid, stretch.to_txid, '[]')) as txids
          from symphony.stretch where stretch.lane_id = _depth.lane_id) as s
    where not isempty(s.txids * v_position.ahead);
    select count(*) into pending
    from (select
          from symphony._uncounted(v_tally, v_position.ahead, v_position.partial_txid,
                                   v_position.partial_message_id) as part
          cross join lateral symphony._run(_depth.lane_id, part.txids, part.after_id, at_most)
          limit at_most) as other;
    is_exact := at_most is null or pending < at_most;
    pending := pending + v_counted;
end;
$$;

comment on function symphony._depth(integer, integer) is
$$How many messages of a lane are to be handed out, as far as this statement sees them.

Arguments  lane_id
           at_most - of those that are not in stretches yet, this many are counted; null: all
Returns    pending - how many there are
           is_exact - false: there may be more
Access     private$$;

revoke execute on function symphony._depth(integer, integer) from public;
