-- tick: a lease that ended while nobody could reach the server begins anew, once.
select plan(20);

select tap.set_clock('2030-01-01 12:00:00+00');
select symphony.create_queue('q', max_attempts => 3, lease => '30 s');
select symphony.enqueue('A', '"poison"', queue_name => 'q');
select symphony.enqueue('A', queue_name => 'q') from generate_series(1, 9);
create function pg_temp.claim(worker text, batch_size integer) returns bigint language sql as $$
    select claim_id from symphony.claim_batch('{q}', batch_size, worker) limit 1
$$;
create temporary table hand (worker text, claim_id bigint);
insert into hand values ('dies', pg_temp.claim('dies', 4));
insert into hand values ('lives', pg_temp.claim('lives', 4));
insert into hand values ('early', pg_temp.claim('early', 1));
create function pg_temp.of(worker text) returns bigint language sql as $$
    select claim_id from hand where hand.worker = of.worker
$$;
select symphony.tick();

-- The server, or the network, is away for a minute.
select tap.advance_clock('1 minute');
select is(symphony.ack(pg_temp.of('early')), 1, 'who is back before the first tick settles what was done');
select is(
    array(select symphony.extend_lease(array[pg_temp.of('lives')], '100 ms')),
    array[pg_temp.of('lives')], 'or goes on with it'
);
select tap.advance_clock('1 s');
select is((symphony.tick() ->> 'recovered')::integer, 0, 'the first tick takes nothing back');
select is(
    (select lease_until - symphony._now() from symphony.claim where claim_id = pg_temp.of('dies')),
    '30 s', 'a lease that ended meanwhile begins anew'
);
select is(
    (select count(*) from symphony.message_status(2) where status = 'processing' and attempt = 1),
    1::bigint, 'so its messages are still in the hands of their workers, in the same attempt'
);
select is(symphony.ack(pg_temp.of('lives')), 4, 'a worker that is back settles what it did meanwhile');

-- One of them is not back: it died during the outage, perhaps of a message.
select tap.pass_time('29 s');
select is((symphony.tick() ->> 'recovered')::integer, 0, 'nothing is taken back while the new lease lasts');
select tap.pass_time('2 s');
select is((symphony.tick() ->> 'recovered')::integer, 4, 'a worker that says nothing within it is gone');
select results_eq(
    $$select count(*), bool_and(alone), max(attempt) from symphony.claim_batch('{q}', 100, 'next')$$,
    $$values (1::bigint, true, 2)$$,
    'its messages are handed out alone: none takes others with it, and they lost one attempt'
);

-- The next outage: a lease begins anew only once, unless its worker was heard of.
select tap.advance_clock('1 minute');
select is((symphony.tick() ->> 'recovered')::integer, 0, 'another outage, and a lease begins anew');
select tap.advance_clock('1 minute');
select is((symphony.tick() ->> 'recovered')::integer, 1, 'nobody was heard of until the one after that');
insert into hand values ('steady', pg_temp.claim('steady', 1));
select tap.advance_clock('1 minute');
select symphony.tick();
select tap.pass_time('10 s');
select symphony.extend_lease(array[pg_temp.of('steady')]);
select tap.advance_clock('1 minute');
select is((symphony.tick() ->> 'recovered')::integer, 0, 'if its worker was heard of, it begins anew again');
select lives_ok(format('select symphony.ack(%s)', pg_temp.of('steady')), 'it settles its message');

-- What is no outage.
insert into hand values ('slow', pg_temp.claim('slow', 1));
select tap.pass_time('31 s');
select throws_ok(
    format('select symphony.ack(%s)', pg_temp.of('slow')), 'SY010', null,
    'while somebody ticks, a worker that is late has lost its lease'
);
select is_empty(
    format('select symphony.extend_lease(array[%s])', pg_temp.of('slow')), 'it cannot have it back'
);
select is((symphony.tick() ->> 'recovered')::integer, 1, 'its message is taken back');
insert into hand values ('over', pg_temp.claim('over', 1));
select tap.pass_time('31 s');
select throws_ok(
    format('select symphony.release(%s)', pg_temp.of('over')), 'SY010', null,
    'a lease was over'
);
select tap.advance_clock('1 s');
insert into symphony.tick (ticked_at, swept_until, full_sweep_at, purge_at)
select symphony._now(), swept_until, full_sweep_at, purge_at from symphony.tick order by tick_id desc limit 1;
select tap.advance_clock('1 minute');
select throws_ok(
    format('select symphony.release(%s)', pg_temp.of('over')), 'SY010', null,
    'and stays so if there is an outage afterwards'
);
select is((symphony.tick() ->> 'recovered')::integer, 1, 'which keeps nothing from being taken back');
select is(
    (select count(*) from symphony.attempt where error_class = 'LeaseEnded'),
    7::bigint, 'an outage by itself is no attempt'
);
select * from finish();
