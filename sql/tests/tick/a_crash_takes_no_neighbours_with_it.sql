-- tick: messages of a worker that vanished come back one attempt later, and are claimed one by one.
select plan(10);

select symphony.create_queue('q', max_attempts => 3, lease => '10 s');
select symphony.enqueue('A', queue_name => 'q') from generate_series(1, 5);
select is(
    (select count(*) from symphony.claim_batch('{q}', worker => 'dies')),
    5::bigint, 'a worker has a batch of five'
);
select is((symphony.tick() ->> 'recovered')::integer, 0, 'nothing happens while its lease lasts');
select tap.pass_time('11 s');
select is((symphony.tick() ->> 'recovered')::integer, 5, 'the five come back when it has ended');
select symphony.enqueue('new', queue_name => 'q');
select results_eq(
    $$select count(*), max(attempt), max(message_type) from symphony.claim_batch('{q}', 100)$$,
    $$values (1::bigint, 2, 'A')$$,
    'the suspects are claimed one by one, before the others, in the next attempt'
);
select results_eq(
    $$select status, last_error from symphony.message_status(2)$$,
    $$select 'pending', last_error
      from symphony.message where message_id = 2 and last_error like 'lease ended: worker dies%'$$,
    'they say why'
);
select is(
    (select count(*) from symphony.claim_batch('{q}', 100)),
    1::bigint, 'the next claim takes one again'
);
select tap.pass_time('11 s');
select symphony.tick();
select is(
    (select count(*) from symphony.claim_batch('{q}', 100) where attempt = 2),
    1::bigint, 'only those that were claimed used an attempt'
);
select tap.pass_time('11 s');
select symphony.tick();
select symphony.ack(claim_id) from symphony.claim_batch('{q}', 100);
select is(
    (select string_agg(attempt::text, ' ' order by message_id) from symphony.message),
    '2 2 2 1 1 0', 'attempts are those of each message'
);
select symphony.claim_batch('{q}', 100), symphony.claim_batch('{q}', 100), symphony.claim_batch('{q}', 100),
       symphony.claim_batch('{q}', 100);
select tap.pass_time('11 s');
select symphony.tick();
select cmp_ok(
    (select count(*) from symphony.failed_overview where reason = 'lease ended' and attempt = 3),
    '>', 0::bigint, 'a message that has used all its attempts has failed'
);
select is(
    (select worker from symphony.failed_message order by message_id limit 1),
    null, 'it names the worker of its last attempt, which had no name'
);
select * from finish();
