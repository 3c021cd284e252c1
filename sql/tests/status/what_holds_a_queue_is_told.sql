-- queue_settings, queue_holds, recent_errors: what a queue is set to, what holds it, what goes wrong in it.
select plan(19);

select tap.set_clock('2027-01-01 12:00Z');
select symphony.create_queue('mail', lease => '1 min', max_attempts => 6);
select results_eq(
    $$select setting, value, origin from symphony.queue_settings('mail')
      where setting in ('max_attempts', 'retry_delay', 'lease', 'failed_retention') order by setting$$,
    $$values ('failed_retention', null, null), ('lease', '00:01:00', 'queue'), ('max_attempts', '6', 'queue'),
             ('retry_delay', '00:00:01', 'retry policy *')$$,
    'each setting, and where it comes from'
);
select is(
    (select count(*) from symphony.queue_settings('mail')),
    (select count(*) - 4 from pg_attribute where attrelid = 'symphony.queue'::regclass and attnum > 0
     and not attisdropped), 'every setting is shown'
);
select is(
    (select array_agg(setting) from symphony.queue_settings('mail')),
    (select array_agg(attname::text order by attnum) from pg_attribute
     where attrelid = 'symphony.queue'::regclass and attnum > 0 and not attisdropped
       and attname <> all ('{queue_name,paused_at,paused_by,created_at}')),
    'related settings stand together'
);
create function pg_temp.holds() returns text language sql as $$
    select string_agg(hold, ',') from symphony.queue_holds('mail')
$$;
select is(pg_temp.holds(), 'no worker', 'nobody works');
select symphony.heartbeat('w', '{mail}');
select is(pg_temp.holds(), null, 'nothing holds it');
select symphony.request_workers('pause', '{w}');
select is(pg_temp.holds(), 'no worker', 'a paused worker is none');
select matches((select detail from symphony.queue_holds('mail')),
    'paused or stop, as asked by ' || session_user, 'who paused it');
select symphony.request_workers('resume', '{w}');
set symphony.actor = 'ada';
select symphony.pause_queue('mail');
select matches((select detail from symphony.queue_holds('mail')),
    '^Since 2027-01-01 12:00:00\+00 by .* \(ada\): nothing', 'who paused it, and since when');
select symphony.resume_queue('mail');
select symphony.create_transport('slow', queue_name => 'mail');
select symphony.disable_transport('slow');
select matches((select detail from symphony.queue_holds('mail')), 'transport "slow".* by .* \(ada\)',
    'who disabled its transport');
select symphony.enable_transport('slow');
select tap.elsewhere('other', 'begin');
select tap.elsewhere('other', format('select pg_advisory_xact_lock(1398361424, %s)', (
    select lane_id from symphony.lane where queue_name = 'mail' and priority = 7 and not alone)));
select matches((select detail from symphony.queue_holds('mail')), '^The lane of priority 7 is locked by ',
    'who has locked a lane');
select tap.elsewhere('other', 'commit');

select symphony.enqueue('A', queue_name => 'mail', delay => '1 h') from generate_series(1, 2);
select symphony.enqueue('B', queue_name => 'mail') from generate_series(1, 3);
select symphony.nack_with_backoff(claim_id, message_id, 'refused', 'Refused', retry_after => '30 min')
from symphony.claim_batch('{mail}', 2);
select symphony.nack_with_backoff(claim_id, message_id, 'broken', 'Broken', false)
from symphony.claim_batch('{mail}');
select results_eq(
    $$select hold, detail from symphony.queue_holds('mail')$$,
    $$values ('retried', '2 of its messages wait, the first one until 2027-01-01 12:30:00+00.'),
             ('delayed', '2 of its messages wait, the first one until 2027-01-01 13:00:00+00.')$$,
    'how many are retried or delayed, and until when'
);
select results_eq(
    $$select queue_name, message_type, error_class, attempts, retried, failed, next_at, example_error
      from symphony.recent_errors()$$,
    $$values ('mail', 'B', 'Refused', 2::bigint, 2::bigint, 0::bigint, '2027-01-01 12:30Z'::timestamptz,
              'refused'),
             ('mail', 'B', 'Broken', 1, 0, 1, null, 'broken')$$,
    'what goes wrong, by class, and when it is tried again'
);
select is((select count(*) from symphony.recent_errors(error_class => 'Broken')), 1::bigint, 'of a class');
select is((select count(*) from symphony.recent_errors(message_type => 'A')), 0::bigint, 'of a type');
select is((select count(*) from symphony.recent_errors(queue_name => 'default')), 0::bigint, 'of a queue');
select is((select at_least from symphony.recent_errors(at_most => 1)), '{attempts,retried,failed}',
    'of so many attempts that there may be more');
select tap.set_clock('2027-01-01 12:20Z');
select is((select count(*) from symphony.recent_errors()), 0::bigint, 'ten minutes later that is over');
select is((select count(*) from symphony.recent_errors(since => '2027-01-01 12:00Z')), 2::bigint,
    'unless one asks for more');
select tap.set_clock('2027-01-01 14:00Z');
select symphony.heartbeat('w', '{mail}');
select is(pg_temp.holds(), 'late,late', 'what is due and not promoted is late');
select tap.set_clock(null);
select * from finish();
