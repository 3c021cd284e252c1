-- tick: it fires what is due and tells when the next schedule is.  tick_for() calls it repeatedly.
select plan(8);

select tap.set_clock('2027-03-01 08:00Z');
select symphony.create_schedule('poll', 'Poll', 'interval', '{"every": "10 minutes"}');
select symphony.create_schedule('paused', 'Poll', 'interval', '{"every": "1 minute"}');
select symphony.create_schedule('done', 'Poll', 'once', '{"at": "2027-03-01 08:02+00"}');
select symphony.pause_schedule('paused');

select is(
    (symphony.tick() ->> 'next_due_at')::timestamptz,
    '2027-03-01 08:02Z', 'tick() tells when the next schedule is due, unless it is paused'
);
select tap.set_clock('2027-03-01 08:02Z');
select is(symphony.tick() ->> 'fired', '1', 'tick() fires it');
select is(
    (symphony.tick() ->> 'next_due_at')::timestamptz,
    '2027-03-01 08:10Z', 'tick() leaves out what is done'
);

select tap.set_clock('2027-03-01 08:10Z');
call symphony.tick_for('1 millisecond', '0');
select is(run_count, 1, 'tick_for() ticks') from symphony.schedule where schedule_name = 'poll';
select ok(sum(fired) = 2, 'each tick is committed') from symphony.tick;

select throws_ok(
    $$select symphony.install_pg_cron()$$,
    '55000', null, 'the tick cannot be installed without pg_cron'
);
select is(symphony.uninstall_pg_cron(), false, 'the tick cannot be removed without pg_cron');
select is((symphony.tick() ->> 'fired'), '0', 'a tick with nothing due fires nothing');

select * from finish();
