create or replace function symphony._purge_failed(now timestamptz, at_most integer)
returns integer
language plpgsql
volatile
as $$
/*
 * A key that another session has, which may be about to take it over, is not waited for: its message
 * is left to the next purge.
 */
declare
    v_old bigint[];
    v_ids bigint[];
begin
    v_old := array(
        select failed.message_id
        from symphony.queue
        join symphony.lane on lane.queue_name = queue.queue_name
        cross join lateral (
            select f.message_id
            from symphony.failed_message as f
            where f.lane_id = lane.lane_id and f.failed_at < _purge_failed.now - queue.failed_retention
            order by f.failed_at, f.message_id
            limit at_most
            for update skip locked
        ) as failed
        where queue.failed_retention is not null and lane.is_used
        limit at_most);
    with free as materialized (
        select k.message_id from symphony.idempotency_key as k
        where k.message_id = any (v_old)
        for update skip locked
    )
    select array_agg(old.message_id) into v_ids
    from unnest(v_old) as old (message_id)
    where old.message_id in (select free.message_id from free)
       or not exists (select from symphony.idempotency_key as k where k.message_id = old.message_id);
    delete from symphony.failed_message as f where f.message_id = any (v_ids);
    perform symphony._free_held(v_ids);
    perform symphony._forget(v_ids);
    perform symphony._free_keys(v_ids);
    return coalesce(cardinality(v_ids), 0);
end;
$$;

comment on function symphony._purge_failed is
$$Remove failed messages that were kept for as long as their queue's failed_retention says.

Arguments  now
           at_most - so many of them
Returns    how many
Writes     symphony.failed_message, and what _forget() and _free_keys() write
Access     private$$;
