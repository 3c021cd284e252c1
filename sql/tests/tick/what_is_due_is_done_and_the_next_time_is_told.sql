-- tick: it promotes what is due, says when the next message is, and forgets what was kept for long enough.
select plan(29);

select tap.set_clock('2030-01-01 12:00:00+00');
create function pg_temp.tick_after(i interval) returns jsonb language plpgsql as $$
begin
    perform tap.advance_clock(i);
    return symphony.tick();
end $$;

select is(
    symphony.tick(),
    '{"ran": true, "promoted": 0, "recovered": 0, "failed": 0, "fired": 0, "purged": 0, "next_due_at": null,
      "purge_due": false, "has_more": false}',
    'a tick with nothing to do says so'
);
select symphony.enqueue('A', '{"n": 1}', delay => '20 s', priority => 7,
                        headers => '{"h": 1}', group_key => 'g');
select symphony.enqueue('A', available_at => '2030-01-01 12:00:10+00');
select symphony.enqueue('A', delay => '0 s');
select is((select count(*) from symphony.claim_batch()), 1::bigint, 'a delay of nothing is not a delay');
select is(
    (symphony.tick() ->> 'next_due_at')::timestamptz,
    '2030-01-01 12:00:10+00', 'the next time is that of the message that is due first'
);
select is(pg_temp.tick_after('9.999999 s') ->> 'promoted', '0', 'nothing happens a moment before its time');
select is(pg_temp.tick_after('0.000001 s') ->> 'promoted', '1', 'it is promoted at its time');
select is(
    (symphony.tick() ->> 'next_due_at')::timestamptz,
    '2030-01-01 12:00:20+00', 'the other one is next'
);
select is((select message_id from symphony.claim_batch()), 2::bigint, 'the other one is not handed out yet');
select is(pg_temp.tick_after('10 s') ->> 'next_due_at', null, 'no next time is told when nothing waits');
select results_eq(
    $$select message_id, priority, attempt, group_key, body, headers from symphony.claim_batch()$$,
    $$values (1::bigint, 7, 1, 'g', '{"n": 1}'::jsonb, '{"h": 1}'::jsonb)$$,
    'a delay changes nothing about a message'
);

-- Many at once.
select symphony.enqueue('M', delay => '1 s') from generate_series(1, 1500);
select is(pg_temp.tick_after('1 s') ->> 'promoted', '1000', 'at most 1000 are promoted at once');
select is(symphony.tick() ->> 'promoted', '500', 'the others are promoted by the next tick');
select is(
    (select count(*) from symphony.claim_batch(batch_size => 1000)),
    1000::bigint, 'a thousand of them are handed out'
);
select is(
    (select count(*) from symphony.claim_batch(batch_size => 1000)),
    500::bigint, 'so are the others: none is lost'
);

-- Many leases that end at once: 250 claims of one message each.
select symphony.enqueue('L', queue_name => null) from generate_series(1, 250);
do $$
begin
    for i in 1 .. 250 loop
        perform symphony.claim_batch(batch_size => 1, lease => '1 s');
    end loop;
end $$;
select is(
    array[pg_temp.tick_after('2 s') ->> 'recovered', symphony.tick() ->> 'recovered',
          symphony.tick() ->> 'recovered', symphony.tick() ->> 'recovered'],
    '{100,100,50,0}', 'a tick takes back the leases of 100 claims, the next ticks the others'
);

-- What is forgotten.
select symphony.enqueue('A', idempotency_key => 'k');
select symphony.heartbeat('w', '{default}');
select symphony.idle('w', '{default}');
select pg_temp.tick_after('60 s');
select is((select count(*) from symphony.worker), 1::bigint, 'a worker may be silent for a minute');
select pg_temp.tick_after('10 s');
select is(
    (select count(*) from symphony.worker),
    0::bigint, 'a worker that is silent for longer is forgotten'
);
select is(
    (select idle_workers from symphony.queue_stats('default')),
    0, 'it is not counted as asleep either'
);
select pg_temp.tick_after('1 day');
select is((select count(*) from symphony.idempotency_key), 0::bigint, 'keys that are free again are removed');
select is((select count(*) from symphony.tick), 1::bigint, 'ticks of more than an hour ago are removed');

-- A producer that takes such a key again, and stays open, holds up nobody.
select symphony.enqueue('A', idempotency_key => 'again'), symphony.enqueue('A', idempotency_key => 'other');
select pg_temp.tick_after('23 hours');
select tap.advance_clock('2 hours');
select tap.elsewhere('producer', 'begin');
select tap.elsewhere('producer', $$select symphony.enqueue('A', idempotency_key => 'again')$$);
set lock_timeout = '100 ms';
select lives_ok('select symphony.tick()', 'tick() does not wait for a producer that takes a key again');
reset lock_timeout;
select tap.elsewhere('producer', 'commit');
select results_eq('select key from symphony.idempotency_key', array['again'], 'it removes the other keys');

-- The clock is set back, or a standby takes over whose clock is behind.
select pg_temp.tick_after('1 minute');
select tap.advance_clock('-1 hour');
select symphony.create_queue('back'), symphony.enqueue('A', queue_name => 'back', delay => '1 s'),
       symphony.enqueue('B', queue_name => 'back');
select is(
    (select message_type from symphony.claim_batch('{back}', lease => '1 s')),
    'B', 'messages are claimed after the clock was set back'
);
create temporary table after_that as select pg_temp.tick_after('2 s') as report;
select is(report ->> 'promoted', '1', 'what is due by the new time is promoted') from after_that;
select is(report ->> 'recovered', '1', 'ended leases are taken back') from after_that;
select tap.advance_clock('-1 hour');
select is(
    tap.elsewhere($$select symphony.tick() ->> 'ran'$$), 'true',
    'a session that ticks for the first time does so, too'
);

-- Somebody holds a lane, or the sweep takes long.
select symphony.enqueue('A', priority => 3);
select tap.elsewhere('producer', 'begin');
select tap.elsewhere('producer', $$select symphony.configure_queue('default', max_body_bytes => 9999)$$);
set lock_timeout = '100 ms';
select lives_ok('select symphony.tick()', 'tick() does not wait for a session that changes a lane');
reset lock_timeout;
select is(count(*), 1::bigint, 'it leaves that lane for later') from symphony.lane_use;
select tap.elsewhere('producer', 'commit');
select symphony.tick();
select results_eq(
    $$select is_used, (select count(*) from symphony.lane_use)
      from symphony.lane where queue_name = 'default' and priority = 3$$,
    $$values (true, 0::bigint)$$,
    'the next tick marks the lane'
);
create or replace function symphony.purge(at_most integer default 1, out purged integer, out has_more boolean)
language sql as $$select 0, false from pg_sleep(1.3)$$;
update symphony.tick set full_sweep_at = '-infinity', purge_at = '-infinity';
select symphony.tick();
select cmp_ok(
    (select full_sweep_at - ticked_at from symphony.tick order by tick_id desc limit 1),
    '<=', interval '1 minute',
    'rows that were committed late wait a minute at most, however long a sweep takes'
);
select * from finish();
