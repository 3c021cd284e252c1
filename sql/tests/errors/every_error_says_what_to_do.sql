-- Every error of Symphony is raised here, and has its code.  DETAIL says what is wrong, HINT says what to do.
-- (Those of schedules and cron expressions are in the folders schedules and cron.)
select plan(5);

create temporary table bad_call (code text, call text);
insert into bad_call values
    ('SY001', $$symphony.enqueue('A', queue_name => 'nope')$$),
    ('SY001', $$symphony.claim_batch('{nope}')$$),
    ('SY001', $$symphony.claim_batch(array[null])$$),
    ('SY001', $$symphony.configure_queue('nope')$$),
    ('SY001', $$symphony.pause_queue('nope')$$),
    ('SY001', $$symphony.resume_queue('nope')$$),
    ('SY001', $$symphony.purge_queue('nope')$$),
    ('SY001', $$symphony.purge_preview('nope')$$),
    ('22023', $$symphony.purge_queue('default', 'nope')$$),
    ('SY001', $$symphony.queue_stats('nope')$$),
    ('SY001', $$symphony.queue_figures('nope')$$),
    ('SY001', $$symphony.queue_totals('nope')$$),
    ('SY001', $$symphony.type_figures('nope')$$),
    ('SY001', $$symphony.heartbeat('w', '{default,nope}')$$),
    ('SY001', $$symphony.idle('w', '{nope}')$$),
    ('SY002', $$symphony.drop_queue('default')$$),
    ('SY003', $$symphony.cancel(0)$$),
    ('SY004', $$symphony.enqueue('A', (select jsonb_agg(i) from generate_series(1, 200000) as i))$$),
    ('SY005', $$symphony.enqueue_batch('7')$$),
    ('SY005', $$symphony.enqueue_batch('[7]')$$),
    ('SY005', $$symphony.enqueue_batch('[{"message_type": "A", "prio": 1}]')$$),
    ('SY005', $$symphony.enqueue_batch('[{"message_type": "A", "idempotency_key": "k", "prio": 1}]')$$),
    ('SY005', $$symphony.enqueue_batch('[{"message_type": "A", "priority": "high"}]')$$),
    ('SY005', $$symphony.enqueue_batch('[{"message_type": "A", "available_at": "tomorrowish"}]')$$),
    ('SY001', $$symphony.request_workers('stop', queue_name => 'nope')$$),
    ('SY010', $$symphony.ack(0)$$),
    ('SY013', $$symphony.ack((select max(claim_id) from symphony.claim where returned > 0),
                             (select array[min(message_id)] from symphony.parked))$$),
    ('22023', $$symphony.enqueue('A', queue_name => 'ordered', priority => 7)$$),
    ('SY010', $$symphony.ack(tap.newest_claim(), '{0}')$$),
    ('SY010', $$symphony.ack(tap.newest_claim(), '{}')$$),
    ('SY010', $$symphony.release((select min(claim_id) from symphony.claim where size = 0))$$),
    ('SY010', $$symphony.nack_with_backoff(0, 1, 'x')$$),
    ('22023', $$symphony.nack_with_backoff(tap.newest_claim(), 1, 'x', retry_after => '-1 s')$$),
    ('22023', $$symphony.snooze(tap.newest_claim(), 1)$$),
    ('22023', $$symphony.snooze(tap.newest_claim(), 1, delay => '-1 s')$$),
    ('22023', $$symphony.snooze(tap.newest_claim(), 1, until => 'infinity')$$),
    ('22023', $$symphony.snooze(tap.newest_claim(), 1, delay => '1 s', until => 'now')$$),
    ('SY010', $$symphony.snooze(0, 1, '1 s')$$),
    ('SY001', $$symphony.retry_failed(queue_name => 'nope')$$),
    ('SY001', $$symphony.remove_failed(queue_name => 'nope')$$),
    ('SY001', $$symphony.failed_messages('nope')$$),
    ('SY001', $$symphony.failed_stats('nope')$$),
    ('22023', $$symphony.failed_messages(at_most => 0)$$),
    ('22023', $$symphony.failed_stats(at_most => 0)$$),
    ('22023', $$symphony.purge(at_most => 0)$$),
    ('22023', $$symphony.blocked_keys(at_most => 0)$$),
    ('SY001', $$symphony.blocked_keys('nope')$$),
    ('SY001', $$symphony.release_key('nope', 'k')$$),
    ('22023', $$symphony.retry_failed()$$),
    ('22023', $$symphony.retry_failed('{1}', message_type => 'A')$$),
    ('22023', $$symphony.retry_failed('{1}', everything => true)$$),
    ('22023', $$symphony.retry_failed(everything => true, at_most => 1000001)$$),
    ('22023', $$symphony.retry_failed(everything => true, at_most => null)$$),
    ('22023', $$symphony.retry_failed('{1}', per_second => 0)$$),
    ('22023', $$symphony.retry_failed('{1}', per_second => 'NaN')$$),
    ('22023', $$symphony.retry_failed('{1,2}', body => '{}')$$),
    ('22023', $$symphony.retry_failed(everything => true, body => '{}')$$),
    ('22023', $$symphony.remove_failed()$$),
    ('22023', $$symphony.remove_failed(everything => true, at_most => 0)$$),
    ('22023', $$symphony.configure_queue('default', failed_retention => '-1 s')$$),
    ('22023', $$symphony.configure_queue('default', max_snooze => '-1 s')$$),
    ('22023', $$symphony.claim_batch(batch_size => 0)$$),
    ('22023', $$symphony.claim_batch(batch_size => 1001)$$),
    ('22023', $$symphony.claim_batch(batch_size => null)$$),
    ('22023', $$symphony.claim_batch(lease => '25 hours')$$),
    ('22023', $$symphony.claim_batch('{}')$$),
    ('22023', $$symphony.claim_batch(null)$$),
    ('22023', $$symphony.extend_lease('{1}', '1 ms')$$),
    ('22023', $$symphony.heartbeat(null, '{default}')$$),
    ('22023', $$symphony.heartbeat('w', '{}')$$),
    ('22023', $$symphony.heartbeat('w', '{default}', work => '{}')$$),
    ('22023', $$symphony.heartbeat('w', '{default}', work => '[{"queue_name": "default"}]')$$),
    ('22023', $$symphony.heartbeat('w', '{default}', work => '[{"queue_name": "default",
        "message_type": "A", "handled": 1, "failed": 2}]')$$),
    ('22023', $$symphony.heartbeat('w', '{default}', work => '[{"queue_name": "default",
        "message_type": "A", "handled": "x", "failed": 0}]')$$),
    ('22023', $$symphony.heartbeat('w', '{default}', work => '[{"queue_name": "default",
        "message_type": "A", "handled": 1, "failed": 0, "worked": [[1, 2, 3]]}]')$$),
    ('22023', $$symphony.queue_figures(step => 'day')$$),
    ('22023', $$symphony.figures_by_minute(0)$$),
    ('22023', $$symphony.type_figures(step => 'second')$$),
    ('22023', $$symphony.create_queue('a b')$$),
    ('22023', $$symphony.configure_queue('default', max_attempts => 0)$$),
    ('22023', $$symphony.configure_queue('default', rate => 'fast')$$),
    ('22023', $$symphony.enqueue('')$$),
    ('22023', $$symphony.enqueue('A', 'null')$$),
    ('22023', $$symphony.enqueue('A', headers => '7')$$),
    ('22023', $$symphony.enqueue('A', priority => 10)$$),
    ('22023', $$symphony.enqueue('A', delay => '1 s', available_at => 'now')$$),
    ('22023', $$symphony.enqueue('A', delay => '-1 s')$$),
    ('22023', $$symphony.enqueue('A', available_at => '-infinity')$$),
    ('22023', $$symphony.enqueue('A', idempotency_key => '')$$),
    ('22023', $$symphony.enqueue('A', expires_in => '1 s', expires_at => 'tomorrow')$$),
    ('22023', $$symphony.enqueue('A', expires_in => '0')$$),
    ('22023', $$symphony.enqueue('A', expires_in => '101 years')$$),
    ('22023', $$symphony.enqueue('A', expires_at => 'infinity')$$),
    ('22023', $$symphony.enqueue('A', expires_at => now() + '1 h'::interval, delay => '1 h 1 s')$$),
    ('22023', $$symphony.enqueue('A', expires_in => '1 s', on_expiry => 'forget')$$),
    ('22023', $$symphony.enqueue('A', on_expiry => 'drop')$$),
    ('22023', $$symphony.enqueue('A', idempotency_key => 'k', on_duplicate => 'update')$$),
    ('22023', $$symphony.enqueue('A', idempotency_key => 'k', idempotency_window => '0')$$),
    ('22023', $$symphony.enqueue('A', on_duplicate => 'keep')$$),
    ('22023', $$symphony.enqueue('A', idempotency_window => '1 h')$$),
    ('22023', $$symphony.enqueue('Twice', idempotency_key => 'k', on_duplicate => 'replace')$$),
    ('SY005', $$symphony.enqueue_batch('[{"message_type": "A", "expires_in": "soon"}]')$$),
    ('SY005', $$symphony.enqueue_batch('[{"message_type": "A", "on_expiry": "drop"}]')$$),
    ('SY003', $$symphony.run_message_now(0)$$),
    ('55000', $$symphony.run_message_now((select min(message_id) from symphony.message))$$),
    ('22023', $$symphony.clock_changes('UTC', now(), 'infinity')$$),
    ('22023', $$symphony.list_messages('resting')$$),
    ('SY001', $$symphony.list_messages(queue_name => 'nope')$$),
    ('22023', $$symphony.recent_errors(at_most => 0)$$),
    ('SY001', $$symphony.recent_errors(queue_name => 'nope')$$),
    ('SY001', $$symphony.queue_settings('nope')$$),
    ('SY001', $$symphony.queue_holds('nope')$$),
    ('22023', $$symphony.audit(at_most => 0)$$),
    ('22023', $$symphony.note('')$$),
    ('22023', $$symphony.grant_access(current_user, 'root')$$),
    ('22023', $$symphony.grant_access(current_user, 'operator', '{default}')$$),
    ('SY001', $$symphony.grant_access(current_user, 'producer', '{nope}')$$),
    ('SY001', $$symphony.create_transport('t', queue_name => 'nope')$$),
    ('SY001', $$symphony.remove_retry_policy(queue_name => 'nope')$$),
    ('SY001', $$symphony.retry_policy_of('A', 'nope')$$),
    ('SY005', $$symphony.enqueue_batch('[{"message_type": "A", "retry": {"max_attempts": 0}}]')$$),
    ('SY005', $$symphony.enqueue_batch('[{"message_type": "Here"}]')$$),
    ('SY020', $$symphony.enable_transport('nope')$$),
    ('SY020', $$symphony.disable_transport(null)$$),
    ('SY020', $$symphony.set_routes('A', '["here", "nope"]')$$),
    ('SY020', $$symphony.apply_config('{"routing": {"A": ["nope"]}}')$$),
    ('22023', $$symphony.create_transport('t', 'rabbitmq', config => '{"dsn": "amqp://u:p@h"}')$$),
    ('22023', $$symphony.create_transport('t', 'rabbitmq', config => '[]')$$),
    ('22023', $$symphony.create_transport('t', 'rabbitmq', config => '{"inbox_retention": "1 s"}')$$),
    ('55000', $$symphony.create_transport('t', 'rabbitmq', 'broker')$$),
    ('SY020', $$symphony.first_receipt('nope', '1')$$),
    ('22023', $$symphony.first_receipt('broker', '')$$),
    ('55000', $$symphony.first_receipt('here', '1')$$),
    ('SY020', $$symphony.return_delivery('nope', '1', 'A', '{}', '{}', 1, 'x')$$),
    ('22023', $$symphony.return_delivery('broker', '1', 'A', '{}', '{}', 0, 'x')$$),
    ('55000', $$symphony.return_delivery('here', '1', 'A', '{}', '{}', 1, 'x')$$),
    ('22023', $$symphony.create_transport('t', 'sqs', config => '{"visibility": 43201}')$$),
    ('SY022', $$symphony.enqueue('Here')$$),
    ('SY022', $$symphony.enqueue('Direct')$$),
    ('SY020', $$symphony.route_of('A', 'nope')$$),
    ('22023', $$symphony.reserve_message_ids(0)$$),
    ('55000', $$symphony.disable_transport('here')$$),
    ('55000', $$symphony.remove_transport('here')$$),
    ('55000', $$symphony.apply_config('{"transports": {}}')$$),
    ('55000', $$symphony.drop_queue('used', force => true)$$),
    ('22023', $$symphony.create_transport('a b')$$),
    ('22023', $$symphony.create_transport('t', 'kafka')$$),
    ('22023', $$symphony.create_transport('t', 'sync', 'default')$$),
    ('22023', $$symphony.create_transport('t', priority => 10)$$),
    ('22023', $$symphony.create_transport('t', priority => 100000)$$),
    ('22023', $$symphony.create_transport('t', config => '[]')$$),
    ('22023', $$symphony.set_routes('a*', '["here"]')$$),
    ('22023', $$symphony.set_routes('*.a', '["here"]')$$),
    ('22023', $$symphony.set_routes('.*', '["here"]')$$),
    ('22023', $$symphony.set_routes('', '["here"]')$$),
    ('22023', $$symphony.set_routes(null, '["here"]')$$),
    ('22023', $$symphony.set_routes('A', '[7]')$$),
    ('22023', $$symphony.set_routes('A', '[{"transport": "here", "handlers": "x"}]')$$),
    ('22023', $$symphony.set_routes('A', '[{"handler": "x"}]')$$),
    ('22023', $$symphony.sync_handlers('A', '{send,""}')$$),
    ('22023', $$symphony.sync_handlers('A', array[null])$$),
    ('22023', $$symphony.set_retry_policy('a*')$$),
    ('22023', $$symphony.set_retry_policy('A', max_attempts => 0)$$),
    ('22023', $$symphony.set_retry_policy('A', permanent_errors => '{""}')$$),
    ('22023', $$symphony.set_retry_policy('A', permanent_errors => '{NULL}')$$),
    ('22023', $$symphony.set_retry_policy('A', permanent_errors => '{X}', transient_errors => '{X}')$$),
    ('22023', $$symphony.set_retry_policy('A', transient_errors => '{X}', snooze_errors => '{"X": "1 s"}')$$),
    ('22023', $$symphony.set_retry_policy('A', retry_after_errors => '{"X": "1 s"}',
                                               snooze_errors => '{"X": "1 s"}')$$),
    ('22023', $$symphony.set_retry_policy('A', retry_after_errors => '["X"]')$$),
    ('22023', $$symphony.set_retry_policy('A', snooze_errors => '{"X": null}')$$),
    ('22023', $$symphony.set_retry_policy('A', snooze_errors => '{"X": "-1 s"}')$$),
    ('22023', $$symphony.set_retry_policy('A', snooze_errors => '{"X": "2 years"}')$$),
    ('22023', $$symphony.set_retry_policy('A', snooze_errors => '{"X": "soon"}')$$),
    ('22023', $$symphony.set_retry_policy('A', snooze_errors => '{"": "1 s"}')$$),
    ('22023', $$symphony.remove_retry_policy()$$),
    ('22023', $$symphony.remove_retry_policy('A', 'default')$$),
    ('22023', $$symphony.retry_policy_of('A', retry => '7')$$),
    ('22023', $$symphony.enqueue('A', retry => '[]')$$),
    ('22023', $$symphony.enqueue('A', retry => '{"attempts": 3}')$$),
    ('22023', $$symphony.enqueue('A', retry => '{"max_attempts": 1001}')$$),
    ('22023', $$symphony.enqueue('A', retry => '{"max_attempts": "many"}')$$),
    ('22023', $$symphony.enqueue('A', retry => '{"delay": "soon"}')$$),
    ('22023', $$symphony.enqueue('A', retry => '{"delay": -1}')$$),
    ('22023', $$symphony.enqueue('A', retry => '{"multiplier": 0.5}')$$),
    ('22023', $$symphony.enqueue('A', retry => '{"max_delay": "2 years"}')$$),
    ('22023', $$symphony.enqueue('A', retry => '{"jitter": "NaN"}')$$),
    ('22023', $$symphony.enqueue('A', retry => 'null')$$),
    ('22023', $$symphony.apply_config('7')$$),
    ('22023', $$symphony.apply_config('{"transport": {}}')$$),
    ('22023', $$symphony.apply_config('{"routing": []}')$$),
    ('22023', $$symphony.apply_config('{"transports": {"here": {"typ": "sync"}}}')$$),
    ('22023', $$symphony.apply_config('{"retry": {"A": 7}}')$$),
    ('22023', $$symphony.apply_config('{"retry": {"A": {"permanent_errors": "X"}}}')$$),
    ('22023', $$symphony.apply_config('{"retry": {"A": {"transient_errors": "X"}}}')$$),
    ('22023', $$symphony.apply_config('{"retry": {"A": {"snooze_errors": "X"}}}')$$),
    ('SY008', $$symphony.request_workers('stop', '{nobody}')$$),
    ('22023', $$symphony.request_workers('sleep')$$),
    ('22023', $$symphony.request_workers(null)$$),
    ('42704', $$symphony.grant_access('sy_nobody', 'producer')$$),
    ('42704', $$symphony.revoke_access('sy_nobody', 'producer')$$),
    ('22023', $$symphony.revoke_access(current_user, 'enqeuer')$$),
    ('22023', $$symphony.revoke_access(current_user, null)$$);

select symphony.create_transport('here', 'sync'), symphony.create_queue('used');
select symphony.create_transport('there', queue_name => 'used'), symphony.set_routes('Here', '["here"]');
select symphony.create_transport('broker', 'rabbitmq', 'broker');
select symphony.create_transport('direct', 'rabbitmq', config => '{"outbox": false}');
select symphony.set_routes('Direct', '["direct"]');
select symphony.set_routes('Twice', '["there", "here"]'), symphony.sync_handlers('Twice', '{one,two}');
select symphony.enqueue('A', queue_name => 'default');
select symphony.create_queue('ordered', ordered => true);
select symphony.enqueue('A', queue_name => 'ordered', group_key => 'k') from generate_series(1, 2);
select symphony.nack_with_backoff(claim_id, message_id, 'x') from symphony.claim_batch('{ordered}') limit 1;
select symphony.claim_batch();

create temporary table raised (call text, code text, message text, detail text, hint text);
create function pg_temp.collect(expected text) returns void language sql as $$
    insert into raised
    select bad_call.call, coalesce(error.code, 'none'), error.message, error.detail, error.hint
    from bad_call, tap.error_of('select ' || bad_call.call) as error
    where bad_call.code like expected
$$;
select pg_temp.collect('%');
begin isolation level repeatable read;
insert into bad_call values
    ('SY011', $$symphony.claim_batch()$$),
    ('SY011', $$symphony.purge_queue('default')$$),
    ('SY011', $$symphony.configure_queue('default', concurrency => 3)$$),
    ('SY011', $$symphony.drop_queue('default', false)$$);
select pg_temp.collect('SY011');
commit;
begin;
create subscription sy_test_errors connection 'dbname=nope' publication p
with (connect = false, slot_name = none);
insert into pg_subscription_rel (srsubid, srrelid, srsubstate)
select oid, 'symphony.message'::regclass, 'r' from pg_subscription where subname = 'sy_test_errors';
update pg_subscription set subenabled = true where subname = 'sy_test_errors';
delete from symphony.server_mark;
insert into bad_call values ('SY012', 'symphony.rebase()');
select pg_temp.collect('SY012');
update pg_subscription set subenabled = false where subname = 'sy_test_errors';
drop subscription sy_test_errors;
select symphony._mark_server();
commit;
begin;
create role sy_test_limited;
grant usage on schema tap to sy_test_limited;
select symphony.grant_access('sy_test_limited', access, '{default}')
from unnest('{producer,consumer}'::text[]) as access;
select symphony.heartbeat('of used', '{used}'), symphony.set_routes('There', '["there"]');
insert into bad_call values
    ('42501', $$symphony.enqueue('A', queue_name => 'used')$$),
    ('42501', $$symphony.enqueue('There')$$),
    ('42501', $$symphony.heartbeat('of used', '{default}')$$),
    ('42501', $$symphony.first_receipt('broker', '1')$$),
    ('42501', $$symphony.sync_handlers('A', '{new}')$$);
grant all on bad_call, raised to sy_test_limited;
set local role sy_test_limited;
select pg_temp.collect('42501');
reset role;
select symphony.revoke_access('sy_test_limited', access) from unnest('{producer,consumer}'::text[]) as access;
select symphony.grant_access('sy_test_limited', 'operator');
insert into bad_call values
    ('42501', $$symphony.grant_access('sy_test_limited', 'producer')$$),
    ('42501', $$symphony.grant_access('sy_test_limited', 'producer', '{default}')$$),
    ('42501', $$symphony.revoke_access('sy_test_limited', 'operator')$$),
    ('42501', $$symphony.restore_access()$$);
set local role sy_test_limited;
insert into raised
select bad_call.call, coalesce(error.code, 'none'), error.message, error.detail, error.hint
from bad_call, tap.error_of('select ' || bad_call.call) as error
where bad_call.code = '42501' and bad_call.call ~ '(grant|revoke|restore)_access';
reset role;
select symphony.revoke_access('sy_test_limited', 'operator');
drop owned by sy_test_limited;
drop role sy_test_limited;
commit;
update symphony.lane set max_body_bytes = 10 where queue_name = 'default';
insert into bad_call values ('40001', $$symphony.enqueue('A', '{"longer": "than ten"}')$$);
select pg_temp.collect('40001');
update symphony.lane set max_body_bytes = default where queue_name = 'default';
select tap.elsewhere('producer', 'begin');
select tap.elsewhere('producer', $$select symphony.enqueue('A')$$);
-- drop_queue() gives up after ten seconds: here each look at the clock takes six.
create sequence public.calls;
create or replace function symphony._now() returns timestamptz language sql volatile as
    $$select clock_timestamp() + nextval('public.calls') * interval '6 s'$$;
insert into bad_call values ('55006', $$symphony.drop_queue('default', force => true)$$);
select pg_temp.collect('55006');
select tap.set_clock(null);
select tap.elsewhere('producer', 'commit');

select is_empty(
    $$select b.call, b.code, r.code, r.message
      from bad_call as b join raised as r using (call) where b.code <> r.code$$,
    'every error has its code'
);
select is_empty(
    $$select call, detail
      from raised
      where coalesce(detail, '') !~ '^[A-Z].*[.]$' and detail !~ '^queue_[a-z_]+_is_sane: CHECK '$$,
    'every error has a DETAIL of whole sentences'
);
select is_empty(
    $$select call, hint from raised where coalesce(hint, '') !~ '^[A-Z0-9].*[.;]$'$$,
    'every error has a HINT of whole sentences'
);
select is_empty(
    $$select call, message from raised where message !~ '^[a-z"]' or message ~ '[.]$'$$,
    'every message is a phrase, as those of PostgreSQL are'
);

-- What the functions raise, with the % of each format as a wildcard.
select is_empty(
    $$select p.proname, raise[1]
      from pg_proc as p, regexp_matches(p.prosrc, $re$raise exception '((?:[^']|'')*)'$re$, 'g') as raise
      where p.pronamespace = 'symphony'::regnamespace and p.proname !~ 'cron|schedule'
        and not exists (select from raised where raised.message like '%' || raise[1] || '%')$$,
    'every error was raised here'
);
select * from finish();
