create or replace function symphony._newest_messages(state text, before_id bigint, look_at integer)
returns table (message_id bigint, lane_id integer, message_type text, enqueued_at timestamptz,
               group_key text, headers jsonb, may_be boolean)
language plpgsql
stable
as $$
/*
 * Ids are given out in the order of time, so the newest of each table are found by its key.  To ask each
 * message of the log where it is would take a second for ten thousand, so those that are elsewhere are told
 * by what is in hands, by their lane, and by the positions that purge_queue() has set.
 */
#variable_conflict use_column
declare
    v_open bigint[] := case when state in ('processing', 'completed', 'forwarded')
                            then array(select symphony._open_ids()) end;
    v_only bigint[] := case state when 'processing' then v_open when 'waiting' then array(
        select parked.message_id from symphony.parked
        where before_id is null or parked.message_id < before_id
        order by parked.message_id desc
        limit look_at) end;
begin
    return query
    with looked as materialized (
        (select m.message_id, m.lane_id, m.message_type, m.enqueued_at, m.group_key, m.headers, m.txid
         from symphony.message as m
         where v_only is null and (state is null or state not in ('delayed', 'failed'))
           and (before_id is null or m.message_id < before_id)
         order by m.message_id desc
         limit look_at)
        union all
        (select m.message_id, m.lane_id, m.message_type, m.enqueued_at, m.group_key, m.headers, m.txid
         from unnest(v_only) as chosen (message_id)
         join symphony.message as m on m.message_id = chosen.message_id
         where before_id is null or m.message_id < before_id
         order by m.message_id desc
         limit look_at)
    ), removed as materialized (
        select l.message_id
        from looked as l
        join symphony._removals() as r on r.lane_id = l.lane_id
        where state in ('completed', 'forwarded', 'removed')
          and symphony._is_ahead(l.txid, l.message_id, r.was, r.was_txid, r.was_id)
          and not symphony._is_ahead(l.txid, l.message_id, r.ahead, r.partial_txid, r.partial_message_id)
    ), logged as (
        select l.*, symphony._is_ahead(l.txid, l.message_id, p.ahead, p.partial_txid,
                                       p.partial_message_id) as is_ahead,
               r.message_id is not null as is_removed, o.message_id is not null as is_open, p.is_outbox
        from looked as l
        join (select lane.lane_id, position.ahead, position.partial_txid, position.partial_message_id,
                     symphony._broker_of(lane.queue_name) is not null as is_outbox
              from symphony.lane, symphony._position(lane.lane_id) as position
              offset 0) as p on p.lane_id = l.lane_id
        left join removed as r on r.message_id = l.message_id
        left join unnest(v_open) as o (message_id) on o.message_id = l.message_id
    )
    select newest.*
    from (
        (select d.message_id, d.lane_id, d.message_type, d.enqueued_at, d.group_key, d.headers, true
         from symphony.delayed_message as d
         where (state is null or state = 'delayed') and (before_id is null or d.message_id < before_id)
         order by d.message_id desc
         limit look_at)
        union all
        (select f.message_id, f.lane_id, f.message_type, f.enqueued_at, f.group_key, f.headers, true
         from symphony.failed_message as f
         where (state is null or state = 'failed') and (before_id is null or f.message_id < before_id)
         order by f.message_id desc
         limit look_at)
        union all
        select l.message_id, l.lane_id, l.message_type, l.enqueued_at, l.group_key, l.headers,
               case when state is null then true
                    when state = 'pending' then l.is_ahead
                    when l.is_ahead then false
                    when state = 'removed' then l.is_removed
                    when state in ('completed', 'forwarded')
                    then not l.is_removed and not l.is_open and l.is_outbox = (state = 'forwarded')
                    else true end
        from logged as l
    ) as newest (message_id, lane_id, message_type, enqueued_at, group_key, headers, may_be)
    order by newest.message_id desc
    limit look_at;
end;
$$;

comment on function symphony._newest_messages is
$$The newest messages that may be in a state, wherever they are.

Arguments  state - of message_status(); null: any
           before_id - only older ones; null: from the newest on
           look_at - how many
Returns    may_be - false: it is in another state
Access     private$$;
