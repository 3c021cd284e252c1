-- enqueue, enqueue_batch, idle: a producer wakes a worker even if its snapshot is older than the sleep of the
-- worker, so that it does not see it asleep.
select plan(2);

create function pg_temp.notified() returns bigint language sql as $$
    select count(*) from pg_sleep(0.3), dblink_get_notify('worker')
$$;
select tap.elsewhere('worker', 'listen "symphony:default"');
select tap.elsewhere('producer', 'begin isolation level repeatable read');
select tap.elsewhere('producer', 'select count(*) from symphony.queue');
select symphony.idle('w', '{default}');
select tap.elsewhere('producer', $$select symphony.enqueue('A')$$);
select tap.elsewhere('producer', 'commit');
select is(pg_temp.notified(), 1::bigint, 'a message wakes the worker');
select tap.elsewhere('producer', 'begin isolation level serializable');
select tap.elsewhere('producer', $$select symphony.enqueue_batch('[{"message_type": "A"}]')$$);
select tap.elsewhere('producer', 'commit');
select is(pg_temp.notified(), 1::bigint, 'a batch wakes the worker');
select * from finish();
