-- tick: a clock that was a day ahead and is set back leaves nothing due in a day, and nothing held for one.
select plan(27);

select tap.set_clock('2030-01-01 12:20:00+00');
select symphony.create_queue('q', lease => '30 s', retry_delay => '10 s', retry_jitter => 0);
select symphony.create_queue('s');
select symphony.create_schedule('hourly', 'H', 'cron', '{"expression": "0 * * * *"}', queue_name => 's');
select symphony.create_schedule('every', 'E', 'interval', '{"every": "10 minutes"}', queue_name => 's');
select symphony.create_schedule('evening', 'O', 'once', '{"at": "2030-01-01 18:00+00"}', queue_name => 's');
select symphony.create_schedule('today', 'T', 'cron', '{"expression": "0 * * * *"}', queue_name => 's',
                                ends_at => '2030-01-02 00:00+00');
select symphony.create_schedule('paused', 'P', 'cron', '{"expression": "0 * * * *"}', queue_name => 's');
select symphony.pause_schedule('paused');
select symphony.heartbeat('here', '{q}');
select symphony.tick();
create function pg_temp.enqueue_and_claim(worker text, lease interval default null)
returns bigint
language sql
as $$
    select tap.elsewhere(format('select symphony.enqueue(%L, queue_name => %L)', worker, 'q'));
    select claim_id from symphony.claim_batch('{q}', 1, worker, lease)
$$;
create temporary table hand (worker text, claim_id bigint);
insert into hand values ('long before', pg_temp.enqueue_and_claim('long before', '4 hours'));
insert into hand values ('before', pg_temp.enqueue_and_claim('before'));

-- The clock is a day ahead for a while.
select tap.advance_clock('1 day');
select symphony.tick();
select symphony.extend_lease(array[claim_id]) from hand where worker = 'before';
select symphony.heartbeat('dies', '{q}');
insert into hand values ('dies', pg_temp.enqueue_and_claim('dies'));
insert into hand values ('fails', pg_temp.enqueue_and_claim('fails'));
insert into hand values ('snoozes', pg_temp.enqueue_and_claim('snoozes'));
create function pg_temp.messages(worker text)
returns table (claim_id bigint, message_id bigint)
language sql
as $$
    select c.claim_id, unnest(c.open_ids) from symphony.claim as c join hand using (claim_id)
    where hand.worker = messages.worker
$$;
select symphony.nack_with_backoff(claim_id, message_id, 'no') from pg_temp.messages('fails');
select symphony.snooze(claim_id, message_id, '1 minute') from pg_temp.messages('snoozes');
select symphony.enqueue('delay', queue_name => 'q', delay => '5 minutes'),
       symphony.enqueue('moment', queue_name => 'q', available_at => '2030-01-03 09:00+00');
select count(*)
from symphony.enqueue_batch('[{"message_type": "batch", "queue_name": "q", "delay": "2 minutes"}]');
select symphony.tick();
create temporary table fired as select schedule_name, scheduled_at from symphony.schedule_run;
select set_eq(
    'select distinct schedule_name from fired', '{hourly,every,evening,today}'::text[], 'all were fired'
);

-- It is set back.
select tap.set_clock('2030-01-01 12:25:00+00');
select symphony.tick();
create function pg_temp.next_run(name text) returns timestamptz language sql as $$
    select next_run_at from symphony.schedule where schedule_name = name
$$;
select is(pg_temp.next_run('hourly'), '2030-01-01 13:00:00+00', 'an hourly schedule runs at the next hour');
select is(pg_temp.next_run('every'), '2030-01-01 12:30:00+00', 'one with an interval keeps to its grid');
select is(pg_temp.next_run('today'), '2030-01-01 13:00:00+00', 'one that had come to its end goes on');
select is(pg_temp.next_run('evening'), '2030-01-01 18:00:00+00', 'a single run is looked at again');
select is(
    (select enabled from symphony.schedule where schedule_name = 'paused'), false,
    'one that is paused stays so'
);
create function pg_temp.lease_of(name text) returns interval language sql as $$
    select lease_until - symphony._now()
    from symphony.claim
    join hand using (claim_id)
    where hand.worker = name
$$;
select is(pg_temp.lease_of('dies'), '30 s', 'a claim is held no longer than a lease');
select is(pg_temp.lease_of('before'), '30 s', 'so is one that was extended meanwhile');
select cmp_ok(pg_temp.lease_of('long before'), '<=', interval '4 hours', 'a long lease has not grown');
select cmp_ok(pg_temp.lease_of('long before'), '>=', interval '30 s', 'it lasts as the queue says, at least');
select lives_ok($$select symphony.ack(claim_id) from hand where worker = 'before'$$, 'its worker settles it');
create function pg_temp.wait_of(type text) returns interval language sql as $$
    select available_at - symphony._now() from symphony.delayed_message where message_type = type
$$;
select is(pg_temp.wait_of('fails'), '10 s', 'a retry waits for its backoff');
select is(pg_temp.wait_of('snoozes'), '1 minute', 'a snooze is as long as it was to be');
select is(pg_temp.wait_of('delay'), '5 minutes', 'so is a delay');
select is(pg_temp.wait_of('batch'), '2 minutes', 'and one of a batch');
select is(
    (select available_at from symphony.delayed_message where message_type = 'moment'),
    '2030-01-03 09:00:00+00', 'what waits for a moment waits for it'
);
select results_eq(
    'select worker, seen_at from symphony.worker order by worker',
    $$values ('dies', symphony._now())$$,
    'no worker was seen in the future'
);
select tap.pass_time('31 s');
select symphony.tick();
select is(pg_temp.wait_of('fails'), null, 'the retry has come in time');
select is(
    (select status from symphony.message_status((select min(message_id) from symphony.message
                                                  where message_type = 'dies'))),
    'pending', 'a claim whose worker is gone is taken back'
);
select tap.pass_time('1 minute');
select is(
    (select count(*) from symphony.worker), 0::bigint, 'a worker that is silent is forgotten in time'
);

-- What has been fired is not fired again.
select tap.set_clock('2030-01-01 12:59:59+00');
select symphony.tick();
select tap.set_clock('2030-01-01 18:00:01+00');
select symphony.tick();
select is(
    (select count(*) from symphony.schedule_run where schedule_name = 'evening'), 1::bigint,
    'a time that was fired when the clock was ahead is not fired again'
);
select is(pg_temp.next_run('evening'), null, 'a single run is done');
select cmp_ok(
    (select count(*) from symphony.schedule_run where schedule_name = 'hourly'
     and scheduled_at = '2030-01-01 18:00:00+00'), '=', 1::bigint, 'an hourly one runs at its times'
);
select is((select count(*) from symphony.tick where ticked_at > symphony._now()), 0::bigint,
          'ticks of the future are forgotten');
select is_empty('select * from symphony.check()', 'no invariant is broken');

-- Many waits are set right by several ticks.
select tap.advance_clock('1 day');
select symphony.tick();
select count(*)
from symphony.enqueue_batch((
    select jsonb_agg(jsonb_build_object('message_type', 'many', 'queue_name', 'q', 'delay', '1 hour'))
    from generate_series(1, 10001)));
select tap.advance_clock('-1 day');
select symphony.tick();
select is(
    (select count(*) from symphony.delayed_message
     where message_type = 'many' and available_at > symphony._now() + interval '1 hour'),
    1::bigint, 'a tick sets right ten thousand waits'
);
select symphony.tick();
select is(
    (select count(*) from symphony.delayed_message
     where message_type = 'many' and available_at > symphony._now() + interval '1 hour'),
    0::bigint, 'the next one sets right the others'
);
select * from finish();
