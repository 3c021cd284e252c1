create or replace function symphony._purge_failed(now timestamptz, at_most integer)
returns integer
language plpgsql
volatile
as $$
declare
    v_ids bigint[];
begin
    with old as materialized (
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
        limit at_most
    ), gone as (
        delete from symphony.failed_message as f
        where f.message_id = any (array(select old.message_id from old))
        returning f.message_id
    )
    select array_agg(gone.message_id) into v_ids from gone;
    perform symphony._forget(v_ids);
    perform symphony._free_keys(v_ids);
    return coalesce(cardinality(v_ids), 0);
end;
$$;

comment on function symphony._purge_failed(timestamptz, integer) is
$$Remove failed messages that were kept for as long as their queue's failed_retention says.

Arguments  now
           at_most - so many of them
Returns    how many
Writes     symphony.failed_message, and what _forget() and _free_keys() write
Access     private$$;

revoke execute on function symphony._purge_failed(timestamptz, integer) from public;
