-- enqueue, enqueue_batch, idle: a producer whose snapshot is older than a worker's sleep does not see it, and wakes it all the same.
select plan(2);

select dblink_connect('producer', tap.dsn()), dblink_connect('worker', tap.dsn());
create function pg_temp.notified() returns bigint language sql as $$select count(*) from pg_sleep(0.3), dblink_get_notify('worker')$$;
select dblink_exec('worker', 'listen "symphony:default"');
select dblink_exec('producer', 'begin isolation level repeatable read');
select * from dblink('producer', 'select count(*) from symphony.queue') as t (n bigint);
select symphony.idle('w', '{default}');
select dblink_exec('producer', $$do $x$ begin perform symphony.enqueue('A'); end $x$ $$);
select dblink_exec('producer', 'commit');
select is(pg_temp.notified(), 1::bigint, 'a message');
select dblink_exec('producer', 'begin isolation level serializable');
select dblink_exec('producer', $$do $x$ begin perform symphony.enqueue_batch('[{"message_type": "A"}]'); end $x$ $$);
select dblink_exec('producer', 'commit');
select is(pg_temp.notified(), 1::bigint, 'a batch');
select * from finish();
