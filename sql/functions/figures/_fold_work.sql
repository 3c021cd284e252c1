create or replace function symphony._fold_work(minute_at timestamptz)
returns void
language plpgsql
volatile
as $$
begin
    with gone as (
        delete from symphony.work as w
        where w.work_id in (
            select told.work_id from symphony.work as told
            order by told.work_id
            limit 10000
            for update skip locked)
        returning w.*
    ), part as (
        select least(date_trunc('minute', gone.told_at), minute_at) as begins_at, gone.queue_name,
               gone.message_type, pair.bucket, sum(pair.messages) as messages
        from gone
        cross join lateral symphony._pairs(gone.worked) as pair
        group by 1, 2, 3, 4
    ), sketch as (
        select p.begins_at, p.queue_name, p.message_type,
               array_agg(array[p.bucket, p.messages] order by p.bucket) as worked
        from part as p
        group by 1, 2, 3
    ), counted as (
        select least(date_trunc('minute', gone.told_at), minute_at) as begins_at, gone.queue_name,
               gone.message_type, sum(gone.handled) as handled, sum(gone.failed) as failed
        from gone
        group by 1, 2, 3
    )
    insert into symphony.type_figure (
        is_hour, begins_at, queue_name, message_type, handled, failed, worked)
    select false, c.begins_at, c.queue_name, c.message_type, c.handled, c.failed, coalesce(s.worked, '{}')
    from counted as c
    left join sketch as s using (begins_at, queue_name, message_type)
    where exists (select from symphony.queue where queue.queue_name = c.queue_name);    -- it may be dropped
end;
$$;

comment on function symphony._fold_work is
$$Add what heartbeats have told of handlers to the figures by type.

Arguments  minute_at - what was told later counts for this minute
Writes     symphony.work, symphony.type_figure
Access     private$$;
