-- queue_stats, failed_stats, why_not_running: they count up to a limit, and say so.
-- Runs alone: it is big.
select plan(9);

create function pg_temp.fill(queues text[], n integer) returns void language sql as $$
    insert into symphony.message (enqueued_at, lane_id, message_type, body, headers)
    select now() + i * interval '1 s', lane_id, 'Fill', '{}', '{}'
    from symphony.lane, generate_series(1, n) as i
    where queue_name = any (queues) and priority = 5;
    insert into symphony.delayed_message (available_at, enqueued_at, lane_id, message_type, body, headers)
    select now() + interval '1 day', now(), lane_id, 'Fill', '{}', '{}'
    from symphony.lane, generate_series(1, n) as i
    where queue_name = any (queues) and priority = 5;
    insert into symphony.failed_message (
        message_id, failed_at, enqueued_at, lane_id, attempt, reason, message_type, body, headers, last_error
    )
    select nextval('symphony.message_id_seq'), now() - i * interval '1 s', now(), lane_id, 1, 'permanent',
           'Fill' || i % 2, '{}', '{}', 'x'
    from symphony.lane, generate_series(1, n) as i
    where queue_name = any (queues) and priority = 5;
$$;
select symphony.create_queue('big');
select pg_temp.fill('{big}', 9999);
select results_eq(
    $$select pending, delayed, failed, at_least from symphony.queue_stats('big')$$,
    $$values (9999::bigint, 9999::bigint, 9999::bigint, '{}'::text[])$$,
    'what is fewer than 10,000 is counted to the end'
);
select pg_temp.fill('{big}', 30001);
select results_eq(
    $$select pending, delayed, failed, at_least from symphony.queue_stats('big')$$,
    $$values (10000::bigint, 10000::bigint, 10000::bigint, '{pending,delayed,failed}'::text[])$$,
    'of more it is told that there are 10,000 at least'
);
select symphony.create_queue('q' || i) from generate_series(1, 98) as i;
select results_eq(
    $$select pending, at_least from symphony.queue_stats() where queue_name in ('big', 'q1')$$,
    $$values (200::bigint, '{pending,delayed,failed}'::text[]), (0, '{}')$$,
    'where there are 100 queues, 200 are counted in each'
);
select is(
    (select oldest_pending_age from symphony.queue_stats('big')) < (
        select clock_timestamp() - min(enqueued_at) + interval '1 s' from symphony.message
        where lane_id = (select lane_id from symphony.lane where queue_name = 'big' and priority = 5)),
    true, 'the age is that of the message at the head'
);

select symphony.drop_queue('q' || i) from generate_series(1, 98) as i;
select results_eq(
    $$select sum(messages), min(at_least), count(*) from symphony.failed_stats('big')$$,
    $$values (10000::numeric, '{messages}'::text[], 2::bigint)$$,
    'failed_stats() groups the newest 10,000, and says that there are more'
);
select results_eq(
    $$select message_type, messages, at_least from symphony.failed_stats('big', at_most => 50000)$$,
    $$values ('Fill1', 20001::bigint, '{}'::text[]), ('Fill0', 19999, '{}')$$,
    'it groups all if it may read as many'
);
select results_eq(
    $$select message_type, messages
      from symphony.failed_stats('big', until => (select min(failed_at) + interval '1 s'
                                                  from symphony.failed_message))$$,
    $$values ('Fill0', 1::bigint), ('Fill1', 1)$$,
    'a filter finds also what is old'
);
select symphony.heartbeat('w', '{big}');
select is(
    symphony.why_not_running(max(m.message_id)),
    'Its turn comes after 10,000 or more others that are pending in queue "big".',
    'the last of many is told that there are many before it'
)
from symphony.message as m;
select is(
    symphony.why_not_running(min(m.message_id) + 3),
    'Its turn comes after 3 others that are pending in queue "big".',
    'one of the first is told how many'
)
from symphony.message as m;
select * from finish();
