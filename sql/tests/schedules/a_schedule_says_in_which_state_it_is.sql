-- schedule_status: a schedule is on, paused, broken or done, and schedule_diff() says the same.
begin;
select plan(6);

select tap.set_clock('2027-03-01 08:00Z');
select symphony.create_queue('gone');
select symphony.sync_schedules('shop', (
    select jsonb_agg(jsonb_build_object('schedule_name', name, 'message_type', 'Poll',
                                        'queue_name', nullif(queue, ''), 'schedule_type', 'cron',
                                        'schedule_config', '{"expression": "1 9 * * *"}'::jsonb,
                                        'max_runs', max_runs))
    from (values ('broken', 'gone', null), ('done', '', 1), ('on', '', null), ('paused', '', null))
         as given (name, queue, max_runs)));
select results_eq(
    $$select schedule_name, state from symphony.schedule_status()$$,
    $$values ('broken', 'on'), ('done', 'on'), ('on', 'on'), ('paused', 'on')$$,
    'a schedule that will run is on'
);
select symphony.drop_queue('gone');
select symphony.pause_schedule('paused');
select tap.set_clock('2027-03-01 09:01Z');
select symphony.tick_schedules();
select results_eq(
    $$select schedule_name, state from symphony.schedule_status()$$,
    $$select name, name from unnest('{broken,done,on,paused}'::text[]) as name$$,
    'each is in the state that it is called after'
);
select results_eq(
    $$select schedule_name, state from symphony.schedule_overview order by schedule_name$$,
    $$select schedule_name, state from symphony.schedule_status()$$, 'the view says the same'
);
select results_eq(
    $$select schedule_name, outcome, state from symphony.schedule_diff('shop', '[{
        "schedule_name": "new", "message_type": "Poll", "schedule_type": "cron",
        "schedule_config": {"expression": "1 9 * * *"}}]')$$,
    $$values ('new', 'new', null), ('broken', 'orphaned', 'broken'), ('done', 'orphaned', 'done'),
             ('on', 'orphaned', 'on'), ('paused', 'orphaned', 'paused')$$,
    'the difference to what is declared says it too, of those that exist'
);
select symphony.pause_schedule('done');
select is(state, 'paused', 'what is done can be paused') from symphony.schedule_status('done');
select symphony.resume_schedule('paused');
select is(state, 'on', 'what is resumed is on') from symphony.schedule_status('paused');

select * from finish();
rollback;
