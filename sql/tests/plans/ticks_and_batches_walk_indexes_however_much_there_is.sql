-- tick, purge, enqueue_batch, heartbeat: a session that planned them beside nothing does not walk over
-- whatever there is later, when it is ten thousand rows of a kind, or a hundred thousand.
select plan(9);

create function pg_temp.costs() returns integer[] language sql as $$
    select array[
        tap.buffers('select symphony.tick(purge => false)'),
        tap.buffers('select symphony.purge(10)'),
        tap.buffers($x$select symphony.enqueue_batch('[{"message_type": "A", "queue_name": "q1"}]')$x$),
        tap.buffers($x$select symphony.heartbeat('w', '{q1}')$x$)]
$$;
create function pg_temp.fill(low integer, high integer) returns void language sql as $$
    select symphony.create_queue('q' || i) from generate_series(low / 100 + 1, high / 100) as i;
    insert into symphony.claim (lane_id, claimed_at, lease_until, finished_at, size, ahead, open_ids)
    select lane_id, now(), now() - i * interval '1 second', now(), 1, '{[0,)}', '{}'
    from (select min(lane_id) as lane_id from symphony.lane) as one, generate_series(low, high) as i;
    insert into symphony.delayed_message (available_at, enqueued_at, lane_id, message_type, body, headers)
    select now() + i * interval '1 second' + interval '1 hour', now(), lane_id, 'A', '{}', '{}'
    from (select min(lane_id) as lane_id from symphony.lane) as one, generate_series(low, high) as i;
    insert into symphony.failed_message (message_id, failed_at, enqueued_at, lane_id, attempt, reason,
                                         message_type, body, headers, last_error)
    select nextval('symphony.message_id_seq'), now(), now(), lane_id, 1, 'permanent', 'A', '{}', '{}', 'no'
    from (select min(lane_id) as lane_id from symphony.lane) as one, generate_series(low, high) as i;
    insert into symphony.schedule_run (schedule_name, scheduled_at, fired_at, skipped)
    select 's', now() - i * interval '1 minute', now(), 'missed' from generate_series(low, high) as i;
    insert into symphony.key_pace (queue_name, group_key, full_at, next_at)
    select 'paced', 'key ' || i, kept.until, case when i % 2 = 0 then kept.until end
    from generate_series(low, high) as i
    cross join lateral (
        select now() + case when i % 100 = 1 then '-1 s' else '30 min' end::interval
    ) as kept (until);
    insert into symphony.tick (ticked_at, swept_until, full_sweep_at, purge_at)
    select now(), now(), 'infinity', 'infinity' from generate_series(low, high);
$$;

select symphony.create_queue('q1'), symphony.create_queue('paced', key_rate => '10/1 h');
select lives_ok('select pg_temp.costs() from generate_series(1, 7)', 'a session plans them beside nothing');

create temporary table cost (rows integer, buffers integer[]);
select pg_temp.fill(1, 10000);
insert into cost select 10000, pg_temp.costs() from generate_series(1, 3);
select pg_temp.fill(10001, 100000);
insert into cost select 100000, pg_temp.costs() from generate_series(1, 3);
select diag(format('buffers of %s: %s', rows, buffers)) from cost;
-- There is a queue for each hundred rows, and a purge looks into each.
select cmp_ok(
    min(buffers[verb]), '<', 150 + each * rows / 100,
    format('%s touches few buffers beside %s rows', what, rows)
)
from cost, (values
    (1, 'tick', 0),
    (2, 'purge', 10),
    (3, 'enqueue_batch', 0),
    (4, 'heartbeat', 0)
) as verb (verb, what, each)
group by rows, verb, what, each order by rows, verb;
select * from finish();
