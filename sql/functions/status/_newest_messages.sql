create or replace function symphony._newest_messages(state text, before_id bigint, look_at integer)
returns table (message_id bigint, lane_id integer, message_type text, enqueued_at timestamptz,
               group_key text, headers jsonb, is_ahead boolean)
language plpgsql
stable
as $$
/*
 * Ids are given out in the order of time, so the newest of each table are found by its key.
 */
#variable_conflict use_column
declare
    v_open bigint[] := case when state = 'processing' then array(
        select unnest(claim.open_ids) from symphony.claim where claim.open_ids <> '{}') end;
begin
    return query
    select newest.*
    from (
        (select d.message_id, d.lane_id, d.message_type, d.enqueued_at, d.group_key, d.headers, true
         from symphony.delayed_message as d
         where (state is null or state = 'delayed') and (before_id is null or d.message_id < before_id)
         order by d.message_id desc
         limit look_at)
        union all
        (select f.message_id, f.lane_id, f.message_type, f.enqueued_at, f.group_key, f.headers, false
         from symphony.failed_message as f
         where (state is null or state = 'failed') and (before_id is null or f.message_id < before_id)
         order by f.message_id desc
         limit look_at)
        union all
        (select l.message_id, l.lane_id, l.message_type, l.enqueued_at, l.group_key, l.headers,
                symphony._is_ahead(l.txid, l.message_id, p.ahead, p.partial_txid, p.partial_message_id)
         from (select m.* from symphony.message as m
               where (state is null or state not in ('delayed', 'failed'))
                 and (before_id is null or m.message_id < before_id)
                 and (v_open is null or m.message_id = any (v_open))
               order by m.message_id desc
               limit look_at) as l
         join (select lane.lane_id, position.ahead, position.partial_txid, position.partial_message_id
               from symphony.lane, symphony._position(lane.lane_id) as position
               offset 0) as p on p.lane_id = l.lane_id)
    ) as newest (message_id, lane_id, message_type, enqueued_at, group_key, headers, is_ahead)
    order by newest.message_id desc
    limit look_at;
end;
$$;

comment on function symphony._newest_messages(text, bigint, integer) is
$$The newest messages that may be in a state, wherever they are.

Arguments  state - of message_status(); null: any
           before_id - only older ones; null: from the newest on
           look_at - how many
Returns    is_ahead - true: it is pending or delayed
Access     private$$;

revoke execute on function symphony._newest_messages(text, bigint, integer) from public;
