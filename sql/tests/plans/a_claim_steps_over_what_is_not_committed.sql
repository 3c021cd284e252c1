-- claim_batch: messages of a transaction that is still open cost a worker nothing, whatever their queue.
select plan(2);

select symphony.create_queue('full'), symphony.create_queue('other');
create function pg_temp.cost(queues text) returns integer language sql as $$
    select tap.buffers(format('select * from symphony.claim_batch(%L)', queues), runs => 5)
$$;
select tap.elsewhere('producer', 'begin');
select tap.elsewhere('producer', $$
    insert into symphony.message (enqueued_at, lane_id, message_type, body, headers)
    select now(), lane_id, 'A', '{}', '{}' from symphony.lane, generate_series(1, 20000)
    where queue_name = 'full' and priority = 5 and not alone
$$);
select cmp_ok(pg_temp.cost('{full}'), '<', 100, 'they cost nothing in the only queue');
select cmp_ok(pg_temp.cost('{full,other}'), '<', 100, 'they cost nothing in a queue before another');
select tap.elsewhere('producer', 'commit');
select * from finish();
