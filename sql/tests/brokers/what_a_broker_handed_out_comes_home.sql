-- return_delivery: what a broker had handed out comes home once, and goes out again or has failed.
select plan(29);

select symphony.create_transport('orders', 'rabbitmq'), symphony.set_routes('*', '["orders"]');
select is((select queue_name from symphony.list_transports()), 'outbox/orders', 'it has an outbox');
select is_empty($$select from symphony.list_queues() as q where q like 'outbox/%'$$,
                'which is not among the queues that all workers serve');

create temporary table sent as select symphony.enqueue('Pay', jsonb_build_object('n', n)) as id
from generate_series(1, 6) as n;
create temporary table was as select * from symphony.claim_batch('{outbox/orders}', 100, 'relay');
select is((select count(*) from was), 6::bigint, 'what is enqueued goes into the outbox');
select symphony.ack((select min(claim_id) from was),
                    array(select message_id from was where message_id < (select max(id) from sent)));
select is(
    (select array_agg(distinct status) from sent, symphony.message_status(id)),
    '{forwarded,processing}', 'what a relay has acknowledged is forwarded'
);
select is((select count(*) from symphony.list_messages('forwarded')), 5::bigint, 'it is listed as that');

create function pg_temp.come_home(nth integer, attempt integer, error_class text default 'Boom',
                                  retryable boolean default null, retry_after interval default null,
                                  snoozed boolean default null)
returns table (outcome text, waits boolean, last_error text)
language sql
as $$
    select r.outcome, r.available_at > symphony._now(), r.last_error
    from (select id from sent order by id limit 1 offset nth - 1) as m
    cross join lateral symphony.return_delivery(
        'orders', m.id::text, 'Pay', '{"n": 0}', '{"a": 1}', attempt, 'it broke', m.id, error_class,
        retryable, retry_after, snoozed => snoozed, worker => 'w') as r
$$;
select tap.set_clock(date_trunc('second', clock_timestamp()));
select results_eq($$select * from pg_temp.come_home(1, 1)$$, $$values ('retry', true, 'it broke')$$,
                  'it comes back later');
select results_eq(
    $$select s.status, s.attempt, s.body, s.last_error from sent, symphony.message_status(id) as s
      where id = (select min(id) from sent)$$,
    $$values ('delayed', 1, '{"n": 1}'::jsonb, 'it broke')$$,
    'with the id, the body and the attempts of the log'
);
select is((select outcome from pg_temp.come_home(1, 1)), 'known', 'a second time it is known');
select results_eq(
    $$select event, attempt, worker, error_class from symphony.message_history((select min(id) from sent))$$,
    $$values ('retry', 1, 'w', 'Boom')$$, 'and has one attempt in its history'
);
select results_eq($$select * from pg_temp.come_home(2, 1, retryable => false)$$,
                  $$values ('failed', null::boolean, 'it broke')$$, 'what no retry can cure has failed');
select results_eq($$select * from pg_temp.come_home(3, 1, retry_after => '1 hour', snoozed => true)$$,
                  $$values ('snoozed', true, 'it broke')$$, 'what is too early is snoozed');
select is((select attempt from sent, symphony.message_status(id) where id = (
               select id from sent order by id offset 2 limit 1)), 0, 'and uses no attempt');
select results_eq($$select * from pg_temp.come_home(4, 4)$$, $$values ('failed', null::boolean, 'it broke')$$,
                  'redeliveries count as attempts, and the last one is the last one');
select results_eq(
    $$select reason, attempt from symphony.failed_message join (
          select id from sent order by id offset 3 limit 1) as s on message_id = id$$,
    $$values ('exhausted', 4::smallint)$$, 'its attempts are used up'
);
select results_eq($$select * from pg_temp.come_home(5, 9)$$, $$values ('failed', null::boolean, 'it broke')$$,
                  'what took down more workers than there are attempts has failed');
select is((select reason from symphony.failed_message order by message_id desc limit 1), 'lease ended',
          'for that reason');
select results_eq($$select * from pg_temp.come_home(6, 1)$$, $$values ('retry', true, 'it broke')$$,
                  'a consumer may be faster than the relay');
select is_empty($$select from symphony.claim where open_ids <> '{}'$$, 'whose claim is settled then');
select throws_ok(
    format('select symphony.ack(%s)', (select min(claim_id) from was)), 'SY010', null,
    'so that it cannot settle the message as well'
);

select tap.pass_time('2 seconds');
select symphony.tick();
create temporary table again as select * from symphony.claim_batch('{outbox/orders}', 100, 'relay');
select is((select array_agg(attempt) from again), '{2,2}', 'what comes back goes out as the next attempt');
select symphony.ack((select min(claim_id) from again));
select is((select outcome from pg_temp.come_home(1, 1)), 'known', 'and the first one is not wanted any more');

select symphony._forget(array(select message_id from symphony.message));
delete from symphony.message;
select results_eq($$select * from pg_temp.come_home(1, 2)$$, $$values ('retry', true, 'it broke')$$,
                  'it comes home although the log has forgotten it');
select results_eq(
    $$select s.status, s.attempt, s.body, s.headers from sent, symphony.message_status(id) as s
      where id = (select min(id) from sent)$$,
    $$values ('delayed', 2, '{"n": 0}'::jsonb, '{"a": 1}'::jsonb)$$,
    'with what the broker had of it'
);

select is(
    (select outcome from symphony.return_delivery('orders', 'theirs', 'Theirs', '1', '{}', 1, 'e')),
    'retry', 'what somebody else has sent comes home, too'
);
select is(
    (select outcome from symphony.return_delivery('orders', 'theirs', 'Theirs', '1', '{}', 1, 'e')),
    'known', 'once'
);
select is((select count(*) from symphony.list_messages(message_type => 'Theirs')), 1::bigint,
          'and gets an id of Symphony');

select tap.set_clock(date_trunc('second', clock_timestamp()));
select symphony.configure_queue('outbox/orders', retry_delay => '2 s', retry_multiplier => 3,
                                retry_jitter => 0);
select is(
    (select r.available_at - symphony._now()
     from symphony.return_delivery('orders', 'third', 'Theirs', '1', '{}', 3, 'e') as r),
    '18 s'::interval, 'it waits for as long as its attempts ask'
);

-- What has to be started by a time has that time still, and is late once it has passed.
create temporary table late as
select symphony.enqueue('Pay', '{}', expires_in => '1 minute', on_expiry => on_expiry) as id
from unnest('{fail,drop}'::text[]) as on_expiry;
create temporary table forwarded as
select c.message_id, symphony.ack(c.claim_id, array[c.message_id])
from symphony.claim_batch('{outbox/orders}', 100) as c;
select is(
    (select array_agg(distinct r.available_at - symphony._now())
     from late cross join lateral symphony.return_delivery(
         'orders', late.id::text, 'Pay', '{}', null, 1, 'x', late.id, retry_after => '1 hour') as r),
    '{00:01:00}', 'what expires comes back then'
);
select tap.pass_time('61 s');
select symphony.tick();
create temporary table none as select from symphony.claim_batch('{outbox/orders}', 100);
select is(
    (select array_agg(coalesce((select s.status from symphony.message_status(late.id) as s), 'gone')
                      order by late.id) from late),
    '{failed,gone}', 'and is settled as it was enqueued'
);
select * from finish();
