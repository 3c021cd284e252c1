-- enqueue, enqueue_batch: a notification calls one worker if that has time, and else all that sleep.
select plan(15);

create function pg_temp.called() returns text language sql as $$
    select string_agg(extra, ' ') from pg_sleep(0.1), dblink_get_notify('ear')
$$;
select tap.elsewhere('ear', 'listen "symphony:default"');

select symphony.enqueue('A');
select is(pg_temp.called(), null, 'nobody is called while nobody sleeps');
select symphony.idle('v', '{default}');
select symphony.enqueue('A');
select is(pg_temp.called()::jsonb - 2, '["v", null]', 'the only one that sleeps is called');
select symphony.idle('w', '{default}');
select symphony.enqueue('A');
select is(pg_temp.called(), '', 'all are called while nobody has claimed');

select tap.set_clock('2030-01-01');
create temporary table held as select * from symphony.claim_batch(worker => 'v');
select symphony.enqueue('A');
select is(pg_temp.called(), '', 'all are called while the one that claimed last is at work');
select tap.advance_clock('4 milliseconds');
select symphony.ack((select max(claim_id) from held));
select symphony.enqueue('A');
select is(
    pg_temp.called()::jsonb, jsonb_build_array('v', 'w', (select max(claim_id) from held)),
    'it is called when it has settled that, and another one is named'
);
select symphony.enqueue_batch('[{"message_type": "A"}, {"message_type": "A"}]');
select is(pg_temp.called()::jsonb ->> 0, 'v', 'it is called for a batch that it will soon be through with');
select symphony.enqueue_batch((select jsonb_agg(jsonb '{"message_type": "A"}') from generate_series(1, 100)));
select is(pg_temp.called(), '', 'all are called for a large one');
select symphony.enqueue_batch('[{"message_type": "A"}, {"message_type": "A", "delay": "1 h"}]');
select is(pg_temp.called(), '', 'all are called for delayed messages, which a claim does not find');
select symphony.enqueue('A', idempotency_key => 'a');
select is(pg_temp.called()::jsonb ->> 0, 'v', 'it is called for a message with a key');
begin isolation level repeatable read;
select symphony.enqueue_batch('[{"message_type": "A"}]');
commit;
select is(pg_temp.called(), '', 'all are called by an old snapshot, which may not see who has woken since');
select symphony.enqueue('A', delay => '1 h');
select is(pg_temp.called(), '', 'and for a single one');

select symphony.busy('v');
select symphony.enqueue('A');
select is(pg_temp.called()::jsonb - 2, '["w", null]', 'one that is awake is not called');
select symphony.idle('v', '{default}');
create temporary table slow as select * from symphony.claim_batch(worker => 'w', batch_size => 1);
select tap.advance_clock('1 second');
select symphony.ack((select max(claim_id) from slow));
select symphony.enqueue('A');
select is(pg_temp.called()::jsonb ->> 0, 'w', 'one that has settled slow work has time for one message');
select symphony.enqueue_batch('[{"message_type": "A"}, {"message_type": "A"}]');
select is(pg_temp.called(), '', 'but not for two');

select symphony.idle(repeat('x', 8000), '{default}');
select symphony.busy('v'), symphony.busy('w');
select symphony.enqueue('A');
select is(pg_temp.called(), '', 'a name that is too long for a notification calls all');
select * from finish();
