-- configure_queue: the largest body counts for every lane of the queue, and for no other queue.
select plan(6);

select symphony.create_queue('small', max_body_bytes => 50);
select symphony.create_queue('other');
select is(
    (select array_agg(distinct max_body_bytes) from symphony.lane where queue_name = 'small'),
    '{50}', 'the largest body counts from the beginning'
);
select symphony.configure_queue('small', max_body_bytes => 60);
select is(
    (select array_agg(distinct max_body_bytes) from symphony.lane where queue_name = 'small'),
    '{60}', 'a change of it counts'
);
select symphony.configure_queue('small', lease => '1 minute');
select is_empty(
    $$select *
      from symphony.lane join symphony.queue using (queue_name)
      where lane.max_body_bytes <> queue.max_body_bytes$$,
    'a change of other settings leaves it, and each queue has its own'
);
select throws_ok(
    $$select symphony.enqueue('A', to_jsonb(repeat('x', 60)), 'small', priority => 9)$$,
    'SY004', null, 'a body that is too large is refused at any priority'
);
select throws_ok(
    $$select symphony.enqueue_batch(jsonb_build_array(jsonb_build_object(
          'message_type', 'A', 'queue_name', 'small', 'priority', 0, 'body', repeat('x', 60))))$$,
    'SY005', null, 'a body that is too large is refused in a batch'
);

-- A lane that is made at the same time.
select symphony.enqueue('A', queue_name => 'other');
select count(*) from symphony.claim_batch('{other}', lease => '100 ms');
select pg_sleep(0.15);
select tap.elsewhere('ticker', 'begin');
select tap.elsewhere('ticker', $$select symphony.tick() ->> 'recovered'$$);
select tap.start_elsewhere('operator', $$select symphony.configure_queue('other', max_body_bytes => 70)$$);
select pg_sleep(0.3);
select tap.elsewhere('ticker', 'commit');
select tap.result_from('operator');
select results_eq(
    $$select alone, max_body_bytes
      from symphony.lane where queue_name = 'other' and priority = 5 order by 1$$,
    $$values (false, 70), (true, 70)$$,
    'a lane for messages whose worker vanished takes what the queue takes'
);
select * from finish();
