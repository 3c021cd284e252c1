-- snooze, nack_with_backoff: a message that is put off until now, or into the past, waits for no tick().
select plan(10);

select tap.set_clock('2030-01-01 12:00:00+00');
select symphony.create_queue('q', retry_jitter => 0);
select symphony.enqueue('A', '{"n": 1}', queue_name => 'q', group_key => 'g', headers => '{"h": 1}');
-- From now on the sweeps begin here, as when something holds up the vacuum.
select symphony.tick();
update symphony.tick set full_sweep_at = ticked_at + interval '1 minute';

select results_eq(
    $$select s.outcome, s.available_at from symphony.claim_batch('{q}') as c
      cross join lateral symphony.snooze(c.claim_id, c.message_id,
                                         until => '2030-01-01 11:00:00+00', reason => 'late') as s$$,
    $$values ('snoozed', '2030-01-01 11:00:00+00'::timestamptz)$$, 'a message is snoozed into the past'
);
select results_eq(
    $$select status, attempt, last_error from symphony.message_status(1)$$,
    $$values ('pending', 0, 'late')$$,
    'it is pending, no attempt is used, and it says why'
);
select results_eq(
    $$select n.outcome, n.available_at, n.last_error from symphony.claim_batch('{q}') as c
      cross join lateral symphony.nack_with_backoff(
          c.claim_id, c.message_id, 'it broke', 'Boom', retry_after => '0 s') as n$$,
    $$values ('retry', '2030-01-01 12:00:00+00'::timestamptz, 'it broke')$$,
    'a message is retried without a wait'
);
select results_eq(
    $$select status, attempt, last_error from symphony.message_status(1)$$,
    $$values ('pending', 1, 'it broke')$$,
    'it is pending, and an attempt is used'
);
select results_eq(
    $$select message_id, attempt, body, headers, group_key from symphony.claim_batch('{q}')$$,
    $$values (1::bigint, 2, '{"n": 1}'::jsonb, '{"h": 1}'::jsonb, 'g')$$, 'it is handed out as it was'
);
select is((select count(*) from symphony.attempt where message_id = 1), 1::bigint, 'its history tells it');

-- A worker that sleeps is told.
select symphony.snooze(tap.newest_claim(), 1, '0 s');
select symphony.heartbeat('w', '{q}'), symphony.idle('w', '{q}');
select symphony.claim_batch('{q}');
select tap.elsewhere('listener', 'listen "symphony:q"');
select symphony.snooze(tap.newest_claim(), 1, '0 s');
select is(
    (select count(*) from pg_sleep(0.3), tap.dblink_get_notify('listener')),
    1::bigint, 'a worker that sleeps is notified'
);

-- What waits, and is due.
select symphony.enqueue('B', queue_name => 'q', delay => '10 s');
select alike(symphony.why_not_running(2), 'It waits until %', 'a message waits');
select tap.advance_clock('12 s');
select alike(symphony.why_not_running(2), '%nothing calls symphony.tick()%', 'it is due, and nothing ticks');
insert into symphony.tick (ticked_at, swept_until, full_sweep_at, purge_at)
select symphony._now(), symphony._now(), symphony._now() + interval '1 minute', symphony._now();
select alike(symphony.why_not_running(2), '%symphony.tick() finds it%', 'it is due, and somebody ticks');
select * from finish();
