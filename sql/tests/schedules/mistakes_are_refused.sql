-- Whatever cannot work is refused when the schedule is created, with what to do about it.
begin;
select plan(68);

select tap.set_clock('2027-03-01 08:00Z');

-- The state of the error that the statement raises, if it has a detail and a hint.
create function pg_temp.refusal(statement text) returns text language sql as $$
    select case when code is null then 'no error'
                when detail = '' or hint = '' then 'no detail or hint'
                else code end
    from tap.error_of(statement)
$$;

create function pg_temp.refused(arguments text, state text default '22023') returns text
language sql as $$
    select is(pg_temp.refusal(format('select symphony.create_schedule(%s)', arguments)), state,
              arguments)
$$;

-- Its name, and what it enqueues.
select pg_temp.refused($$null, 'Poll', 'cron', '{"expression": "@daily"}'$$);
select pg_temp.refused($$'', 'Poll', 'cron', '{"expression": "@daily"}'$$);
select pg_temp.refused($$repeat('x', 201), 'Poll', 'cron', '{"expression": "@daily"}'$$);
select pg_temp.refused($$'a', null, 'cron', '{"expression": "@daily"}'$$);
select pg_temp.refused($$'a', '', 'cron', '{"expression": "@daily"}'$$);
select pg_temp.refused($$'a', 'Poll', 'cron', '{"expression": "@daily"}', body => null$$);
select pg_temp.refused(
    $$'a', 'Poll', 'cron', '{"expression": "@daily"}', body => to_jsonb(repeat('x', 2000000))$$,
    'SY004');
select pg_temp.refused($$'a', 'Poll', 'cron', '{"expression": "@daily"}', headers => '[]'$$);
select pg_temp.refused($$'a', 'Poll', 'cron', '{"expression": "@daily"}', headers => null$$);
select pg_temp.refused($$'a', 'Poll', 'cron', '{"expression": "@daily"}', priority => 10$$);
select pg_temp.refused($$'a', 'Poll', 'cron', '{"expression": "@daily"}', queue_name => 'nowhere'$$,
    'SY001');

-- Its type and configuration.
select pg_temp.refused($$'a', 'Poll', null, '{"expression": "@daily"}'$$);
select pg_temp.refused($$'a', 'Poll', 'weekly', '{"expression": "@daily"}'$$);
select pg_temp.refused($$'a', 'Poll', 'cron', null$$);
select pg_temp.refused($$'a', 'Poll', 'cron', '{}'$$);
select pg_temp.refused($$'a', 'Poll', 'cron', '{"expression": "61 * * * *"}'$$);
select pg_temp.refused($$'a', 'Poll', 'cron', '{"expression": "0 0 30 2 *"}'$$);
select pg_temp.refused($$'a', 'Poll', 'cron', '"@daily"'$$);
select pg_temp.refused($$'a', 'Poll', 'interval', null$$);
select pg_temp.refused($$'a', 'Poll', 'interval', '{}'$$);
select pg_temp.refused($$'a', 'Poll', 'interval', '{"every": "often"}'$$);
select pg_temp.refused($$'a', 'Poll', 'interval', '{"every": "0.5 seconds"}'$$);
select pg_temp.refused($$'a', 'Poll', 'interval', '{"every": "-1 hour"}'$$);
select pg_temp.refused($$'a', 'Poll', 'interval', '{"every": "1 month"}'$$);
select pg_temp.refused($$'a', 'Poll', 'interval', '{"every": "1 year"}'$$);
select pg_temp.refused($$'a', 'Poll', 'interval', '{"every": "40000 days"}'$$);
select pg_temp.refused($$'a', 'Poll', 'once', null$$);
select pg_temp.refused($$'a', 'Poll', 'once', '{}'$$);
select pg_temp.refused($$'a', 'Poll', 'once', '{"at": "soon"}'$$);
select pg_temp.refused($$'a', 'Poll', 'once', '{"at": "infinity"}'$$);

-- Its zone and window.
select pg_temp.refused(
    $$'a', 'Poll', 'cron', '{"expression": "@daily"}', timezone => 'Mars/Utopia'$$);
select pg_temp.refused(
    $$'a', 'Poll', 'interval', '{"every": "1 day"}', timezone => 'Mars/Utopia'$$);
select pg_temp.refused(
    $$'a', 'Poll', 'once', '{"at": "2027-04-01 00:00"}', timezone => 'Mars/Utopia'$$);
select pg_temp.refused(
    $$'a', 'Poll', 'interval', '{"every": "1 day"}', starts_at => 'infinity'$$);
select pg_temp.refused(
    $$'a', 'Poll', 'interval', '{"every": "1 day"}', starts_at => '-infinity'$$);
select pg_temp.refused(
    $$'a', 'Poll', 'interval', '{"every": "1 day"}', starts_at => '2027-04-02',
      ends_at => '2027-04-01'$$);

-- How it runs.
select pg_temp.refused($$'a', 'Poll', 'interval', '{"every": "1 day"}', max_runs => 0$$);
select pg_temp.refused($$'a', 'Poll', 'interval', '{"every": "1 day"}', jitter => '-1 second'$$);
select pg_temp.refused($$'a', 'Poll', 'interval', '{"every": "1 day"}', jitter => '25 hours'$$);
select pg_temp.refused($$'a', 'Poll', 'interval', '{"every": "1 day"}', catch_up => 'some'$$);
select pg_temp.refused($$'a', 'Poll', 'interval', '{"every": "1 day"}', catch_up => null$$);
select pg_temp.refused($$'a', 'Poll', 'interval', '{"every": "1 day"}', catch_up_limit => 0$$);
select pg_temp.refused($$'a', 'Poll', 'interval', '{"every": "1 day"}', catch_up_limit => null$$);
select pg_temp.refused($$'a', 'Poll', 'interval', '{"every": "1 day"}', overlap => 'queue'$$);
select is_empty($$select from symphony.schedule$$, 'nothing that was refused was created');

-- The other functions.
select is(
    pg_temp.refusal($$select symphony.pause_schedule('a')$$),
    'SY006', 'pause_schedule() refuses an unknown name'
);
select is(
    pg_temp.refusal($$select symphony.resume_schedule(null)$$),
    'SY006', 'resume_schedule() refuses null'
);
select is(
    pg_temp.refusal($$select symphony.run_schedule_now('a')$$),
    'SY006', 'run_schedule_now() refuses an unknown name'
);
select is(
    pg_temp.refusal($$select symphony.schedule_preview('nobody')$$),
    'SY006', 'schedule_preview() refuses an unknown name'
);
select is(
    pg_temp.refusal($$select symphony.schedule_preview(null)$$),
    '22023', 'schedule_preview() refuses null'
);
select is(
    pg_temp.refusal($$select symphony.schedule_preview('@daily', 0)$$),
    '22023', 'schedule_preview() refuses no runs'
);
select is(
    pg_temp.refusal($$select symphony.schedule_preview('@daily', 1, 'Mars/Utopia')$$), '22023',
    'schedule_preview() refuses an unknown zone'
);
select is(
    pg_temp.refusal($$select symphony.schedule_preview('@daily', 1, 'UTC', 'infinity')$$),
    '22023', 'schedule_preview() refuses the end of time'
);
select is(
    pg_temp.refusal($$select symphony.schedule_status('nobody')$$),
    'SY006', 'schedule_status() refuses an unknown name'
);
select is(
    pg_temp.refusal($$select symphony.schedule_runs('nobody')$$),
    'SY006', 'schedule_runs() refuses an unknown name'
);
select is(pg_temp.refusal($$select symphony.schedule_runs(null)$$), 'SY006', 'schedule_runs() refuses null');
select is(
    pg_temp.refusal($$select symphony.schedule_runs('nobody', 0)$$),
    '22023', 'schedule_runs() refuses no runs'
);
select is(
    pg_temp.refusal($$select symphony.clock_changes('Mars/Utopia', now(), now())$$),
    '22023', 'clock_changes() refuses an unknown zone'
);
select is(
    pg_temp.refusal($$select symphony.clock_changes('UTC', null, now())$$),
    '22023', 'clock_changes() refuses null'
);
select is(
    pg_temp.refusal($$select symphony.clock_changes('UTC', now(), 'infinity')$$),
    '22023', 'clock_changes() refuses the end of time'
);
select is(
    pg_temp.refusal($$select symphony.clock_changes('UTC', now(), now() + interval '1001 years')$$),
    '22023', 'clock_changes() refuses more than a thousand years'
);

-- What an application declares.
select is(pg_temp.refusal(statement), '22023', statement)
from unnest(array[
    $$select symphony.schedule_diff(null, '[]')$$,
    $$select symphony.schedule_diff('', '[]')$$,
    $$select symphony.schedule_diff(repeat('x', 201), '[]')$$,
    $$select symphony.sync_schedules('shop', '{}')$$,
    $$select symphony.sync_schedules('shop', null)$$,
    $$select symphony.sync_schedules('shop', '[1]')$$,
    $$select symphony.sync_schedules('shop', '[null]')$$
]) as statement;

select * from finish();
rollback;
