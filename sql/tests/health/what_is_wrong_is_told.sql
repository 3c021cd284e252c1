-- health: each rule has its edge, the worst comes first, and what is well is not spoken of.
-- python/tests/cli/test_doctor.py makes every incident for real.
select plan(28);

-- Other tests run on the same server, and what they have open looks old where the clock stands elsewhere.
create function pg_temp.told(code text default '%') returns text language sql as $$
    select string_agg(concat_ws(' ', h.severity, h.code, h.subject), ', ' order by h.rank)
    from symphony.health() as h where h.code like told.code and h.code not in ('writer_open', 'prepared_open')
$$;
create function pg_temp.sentence(code text) returns text language sql as $$
    select string_agg(h.sentence || ' ' || h.cause, ' | ' order by h.rank)
    from symphony.health() as h where h.code = sentence.code
$$;

select is(pg_temp.told(), null, 'a new installation is well');
select tap.set_clock('2027-01-01 12:00Z');
select symphony.tick();
select symphony.enqueue('A');
select tap.set_clock('2027-01-01 12:00:09Z');
select is(pg_temp.told(), null, 'a tick that was nine seconds ago is well');
select tap.set_clock('2027-01-01 12:00:31Z');
select is(
    pg_temp.told(), 'critical no_tick, critical no_worker default', 'and what may be the cause comes first'
);
select is(
    (select since from symphony.health() where code = 'no_tick'), '2027-01-01 12:00Z'::timestamptz,
    'since when is told'
);
select symphony.tick();
select symphony.pause_queue('default');
select is(pg_temp.told(), 'warning queue_paused default', 'of a queue that is paused nothing else is told');
select symphony.resume_queue('default');
select symphony.create_queue('empty');
select symphony.pause_queue('empty');
select is(
    pg_temp.told(), 'critical no_worker default, note queue_paused empty',
    'a queue that is paused and empty is a note'
);
select symphony.resume_queue('empty');

-- Who claims without a heartbeat works, too.
select symphony.enqueue('A');
create temporary table c as select * from symphony.claim_batch('{default}', 1, lease => '1 h');
select is(pg_temp.told(), null, 'what is claimed from has a worker');
select tap.pass_time('40 s');
select is(pg_temp.told(), 'critical no_worker default', 'for half a minute');

-- Workers.
select symphony.heartbeat('w', '{default}');
select is(pg_temp.told(), null, 'a worker that has slots free is not in the way');
select symphony.heartbeat('w', '{default}', '{"busy": 299}');
select is(pg_temp.told(), null, 'its slots may be taken for five minutes');
select symphony.heartbeat('w', '{default}', '{"busy": 301, "running": [{"message_id": 1, "seconds": 400}],
                          "stuck": [{"message_id": 77, "message_type": "Old", "seconds": 5000}]}');
select is(
    pg_temp.sentence('workers_busy'),
    'All slots for queue "default" have been taken for 5 min. '
    'Messages wait. w: Old 77 for 83 min, A 1 for 6 min.',
    'what takes them is told, the longest first'
);
select is(
    symphony.why_not_running(2),
    'All slots for queue "default" have been taken for 5 min: w: Old 77 for 83 min, A 1 for 6 min.',
    'and is why a message does not run'
);
select is((select string_agg(hold, ',') from symphony.queue_holds('default')), 'busy', 'and holds the queue');
select symphony.heartbeat('other', '{default}', '{"busy": 1}');
select is(pg_temp.told(), null, 'one that was free a moment ago is enough');
select symphony.stop_worker('other');
select symphony.heartbeat('w', '{default}', details::jsonb)
from unnest('{"{\"busy\": \"long\", \"running\": 7}","{\"busy\": [1e999], \"stuck\": {}}","[]","7",
              "{\"busy\": 1e300, \"running\": [7, {\"message_id\": \"x\"},
                                             {\"message_id\": 1, \"seconds\": []}]}"}'::text[]) as details;
select matches(
    pg_temp.sentence('workers_busy'), '^All slots .* for 11574 days\. Messages wait\. w: A 1\.$',
    'whatever a worker tells, it is no error'
);
select symphony.heartbeat('w', '{default}');
select tap.pass_time('21 s');
select is(
    pg_temp.told(), 'critical workers_silent default, warning worker_silent w',
    'a worker is silent after twenty seconds'
);
select is(
    (select cause from symphony.health() where code = 'worker_silent'),
    'It hangs, was killed, or is cut off.', 'nobody knows where one was that did not tell it'
);
select symphony.heartbeat('w', '{default}', '{"pid": 7, "host": "web"}');
select tap.pass_time('21 s');
select is(
    (select cause from symphony.health() where code = 'worker_silent'),
    'Process 7 on web hangs, was killed, or is cut off.', 'one that tells where it is is found there'
);
select is(
    symphony.why_not_running(2),
    'The workers of queue "default" have been silent for 21 s: symphony-pg consume default --app MODULE:APP',
    'and that is why a message does not run'
);
select symphony.heartbeat('w', '{default}');

-- Errors.
insert into symphony.attempt (message_id, started_at, ended_at, replay, attempt, outcome, error_class, error)
select 1, at, at, 0, 1, 'retry', 'Usual', 'x'
from generate_series(1, 220) as i, lateral (select symphony._now() - i * interval '9 s' as at) as t;
select is(pg_temp.told('errors%'), null, 'errors that are as many as ever are not told');
insert into symphony.attempt (message_id, started_at, ended_at, replay, attempt, outcome, error_class, error)
select 1, at, at, 0, 1, 'retry', class, 'x'
from generate_series(1, 20) as i, unnest('{Sudden,null}'::text[]) as class,
     lateral (select symphony._now() - i * interval '1 s' as at) as t
where class is not null or i < 20;
select is(
    pg_temp.sentence('errors_rise'),
    '20 errors of class Sudden in 5 minutes; 0 in the 30 before. The last one is of message 1.',
    'a class of which there are suddenly many is told'
);
insert into symphony.attempt (message_id, started_at, ended_at, replay, attempt, outcome, error)
select 1, symphony._now(), symphony._now(), 0, 1, 'retry', 'x';
select matches(pg_temp.sentence('errors_rise'), '20 errors of class \(unnamed\)', 'also if it has no name');
delete from symphony.attempt;

-- Lanes: since when may not be seen.
select symphony.heartbeat('w', '{default}');
create role sy_health_super login superuser;
select tap.elsewhere('open', $$set session authorization sy_health_super$$);
select tap.elsewhere('open', 'begin');
select tap.elsewhere('open', format('select pg_advisory_xact_lock(1398361424, %s)', lane_id))
from symphony.lane
where queue_name in ('default', 'empty') and priority = 5 and not alone;
select tap.set_clock(clock_timestamp() + interval '1 min');
select symphony.tick();
select symphony.heartbeat('w', '{default}');
select is(
    pg_temp.told(), 'critical lane_locked default/5, critical lane_locked empty/5',
    'lanes that were locked for long'
);
select tap.elsewhere('open', 'rollback');
select is(pg_temp.told(), null, 'and are not any more');
select tap.dblink_disconnect('open');
drop role sy_health_super;

-- Durations.
select is(symphony._duration(length), text, text)
from (values ('0.9 s'::interval, '0 s'), ('119 s', '119 s'), ('2 min', '2 min'), ('47 h 59 min', '47 h'))
    as each (length, text);
select * from finish();
