-- enqueue: a message of another priority than 5 marks its lane as used.  While nobody ticks, each open
-- transaction adds one row at most.
select plan(11);

select symphony.create_queue('q');
create function pg_temp.send(priority integer) returns bigint language sql as
    $$select symphony.enqueue('A', queue_name => 'q', priority => $1)$$;
create temporary view marked as
select lane.priority, count(*) from symphony.lane_use join symphony.lane using (lane_id) group by 1;

select pg_temp.send(7) from generate_series(1, 100);
select pg_temp.send(7) is not null;
select pg_temp.send(3) from generate_series(1, 2);
select results_eq(
    'select priority::int, count from marked order by 1',
    $$values (3, 1::bigint), (7, 1)$$,
    'each lane has one row'
);
select symphony.enqueue_batch('[
    {"message_type": "A", "queue_name": "q", "priority": 7},
    {"message_type": "A", "queue_name": "q", "priority": 8}
]');
select results_eq(
    'select priority::int, count from marked order by 1',
    $$values (3, 1::bigint), (7, 1), (8, 1)$$,
    'a batch adds one row for a lane, too'
);

-- What is rolled back marks nothing, and what comes after it does.
begin;
savepoint s;
select pg_temp.send(9);
rollback to s;
select is_empty('select from marked where priority = 9', 'a message that is taken back marks nothing');
select pg_temp.send(9);
commit;
select is((select count from marked where priority = 9), 1::bigint, 'the next message marks the lane');

-- What others have not committed counts for nothing.
select tap.elsewhere('other', 'begin');
select tap.elsewhere('other', $$select symphony.enqueue('A', queue_name => 'q', priority => 2)$$);
select pg_temp.send(2) from generate_series(1, 10);
select is(
    (select count from marked where priority = 2),
    1::bigint, 'a lane that an open transaction has marked is marked again'
);
select tap.elsewhere('other', 'rollback');
select is(
    (select count from marked where priority = 2),
    1::bigint, 'that mark stays when the other one is rolled back'
);
select is(
    (select count(distinct priority)
     from (select (symphony.claim_batch('{q}', 1000)).priority from generate_series(1, 10)) as c),
    5::bigint, 'messages of all lanes are claimed before anybody ticks'
);

-- A tick that is rolled back, or not yet committed.
select tap.elsewhere('other', 'begin');
select tap.elsewhere('other', 'select symphony.tick()');
select pg_temp.send(2);
select is(
    (select count from marked where priority = 2),
    1::bigint, 'a message marks its lane while a tick is not committed'
);
select tap.elsewhere('other', 'rollback');
select is(
    (select array_agg(priority) from symphony.claim_batch('{q}')),
    '{2}', 'that message is found when the tick is rolled back'
);
select symphony.tick();
select is_empty('select from marked', 'a tick takes the marks away');
select pg_temp.send(2), pg_temp.send(7);
select is_empty('select from marked', 'a message does not mark a lane that is known to be used');
select * from finish();
