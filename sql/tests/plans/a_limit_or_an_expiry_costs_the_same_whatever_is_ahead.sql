-- claim_batch, ack: where a queue has limits, or messages expire, a session that planned them beside nothing
-- does not walk over what is ahead, over what waits for other keys, nor over the keys that had messages.
select plan(6);

create temporary table queue (queue_name text, lane_id integer);
select symphony.create_queue('limited', concurrency => 1000),
       symphony.create_queue('rated', rate => '1000/1 s'),
       symphony.create_queue('paced', key_rate => '1000/1 s', key_concurrency => 1),
       symphony.create_queue('ordered', ordered => true), symphony.create_queue('expiring'),
       symphony.create_queue('late', rate => '1000/1 s', key_rate => '1000/1 s');
insert into queue
select queue_name, lane_id from symphony.lane where queue_name <> 'default' and priority = 5 and not alone;

-- What the second claim has to leave, since its keys are in hands, is taken by the third.
create function pg_temp.claim(queue_name text) returns bigint language sql as $$
    select max(claim_id) from symphony.claim_batch(array[queue_name], 10)
$$;
create function pg_temp.work(queue_name text) returns bigint language plpgsql as $$
declare
    v_first  bigint := pg_temp.claim(queue_name);
    v_second bigint := pg_temp.claim(queue_name);
begin
    return symphony.ack(v_first) + symphony.ack(v_second) + symphony.ack(pg_temp.claim(queue_name));
end $$;
create function pg_temp.fill(low integer, high integer) returns void language sql as $$
    insert into symphony.message (enqueued_at, lane_id, message_type, body, headers, group_key, expires_at)
    select now(), lane_id, 'A', '{}', '{}', 'key ' || i / 20 * 10 + i % 10,
           case when queue_name = 'late' and i % 3 = 0 then now() - interval '1 s'
                when queue_name in ('expiring', 'late') then now() + interval '1 day' end
    from queue, generate_series(low, high) as i;
    insert into symphony.key_pace (queue_name, group_key, full_at)
    select queue_name, 'key ' || i, now() - interval '1 s'
    from queue, generate_series(low, high) as i where queue_name in ('paced', 'late');
    insert into symphony.parked (queue_name, group_key, place, ordinal, lane_id, message_id)
    select queue_name, 'other ' || i, 1, 1, lane_id, -i
    from queue, generate_series(low, high) as i where queue_name in ('paced', 'ordered');
    insert into symphony.held_key (queue_name, group_key, message_id, held_at)
    select 'ordered', 'other ' || i, -i, now() from generate_series(low, high) as i;
$$;

select symphony.enqueue('A', queue_name => queue_name, expires_in => interval '1 day') from queue;
select symphony.tick();
create temporary table cost (rows integer, queue_name text, buffers integer);
select pg_temp.fill(1, 1000);
insert into cost
select 1000, queue_name, tap.buffers(format('select pg_temp.work(%L)', queue_name), runs => 8) from queue;
select pg_temp.fill(1001, 100000);
insert into cost
select 100000, queue_name, tap.buffers(format('select pg_temp.work(%L)', queue_name), runs => 8) from queue;

select diag(format('%s beside %s rows: %s buffers', queue_name, rows, buffers)) from cost;
select cmp_ok(
    many.buffers, '<', few.buffers + few.buffers / 2 + 20,    -- an index may have grown by a level
    format('claims of queue "%s" cost about the same', many.queue_name)
)
from cost as many
join cost as few using (queue_name)
where many.rows = 100000 and few.rows = 1000
order by queue_name;
delete from symphony.held_key where message_id < 0;
delete from symphony.parked where message_id < 0;
select * from finish();
