-- sync_schedules: a schedule that names no queue goes where its type is routed, as one made by hand.
begin;
select plan(8);

select symphony.create_queue('reports');
select symphony.create_transport('slow', 'postgres', 'reports', 3);
select symphony.set_routes('SendReport', '["slow"]');
create temporary table declaration as
select '{"schedule_name": "reports", "message_type": "SendReport", "schedule_type": "interval",
         "schedule_config": {"every": "1 hour"}}'::jsonb as it;

select is(
    (select outcome from symphony.sync_schedules('shop', jsonb_build_array((select it from declaration)))),
    'created',
    'a declaration without a queue is taken'
);
select is(
    (select queue_name from symphony.schedule_status('reports')),
    null,
    'no queue is made up for it'
);
select is(
    (select outcome from symphony.schedule_diff('shop', jsonb_build_array((select it from declaration)))),
    'unchanged',
    'the same declaration changes nothing'
);
select symphony.run_schedule_now('reports');
select results_eq(
    $$select queue_name, priority from symphony.message_status(
          (select last_message_id from symphony.schedule_status('reports')))$$,
    $$values ('reports'::text, 3)$$,
    'its message goes where the type is routed'
);

select symphony.create_schedule('by-hand', 'SendReport', 'interval', '{"every": "1 hour"}');
select symphony.run_schedule_now('by-hand');
select results_eq(
    $$select queue_name, priority from symphony.message_status(
          (select last_message_id from symphony.schedule_status('by-hand')))$$,
    $$values ('reports'::text, 3)$$,
    'and so does that of a schedule made by hand'
);

select is(
    (select changes -> 'queue_name' from symphony.sync_schedules('shop', jsonb_build_array(
        (select it || '{"queue_name": "default"}' from declaration)))),
    '[null, "default"]',
    'a queue that is named from now on is a change'
);
select symphony.create_transport('here', 'sync');
select symphony.set_routes('SendReport', '["here"]');
select throws_ok(
    $$select symphony.sync_schedules('shop', jsonb_build_array((select it from declaration)))$$,
    'SY022', null,
    'a type that SQL cannot serve is refused when it is declared'
);
select throws_ok(
    $$select symphony.create_schedule('by-hand', 'SendReport', 'interval', '{"every": "1 hour"}')$$,
    'SY022', null,
    'as it is by hand'
);

select * from finish();
rollback;
