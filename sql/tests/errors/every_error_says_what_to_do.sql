-- Every error of Symphony is raised here, has a code of its own, and says in DETAIL and HINT what is wrong and what to do.
-- (Those of schedules and cron expressions are in the folders schedule and cron_next.)
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
    ('SY001', $$symphony.queue_stats('nope')$$),
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
    ('SY010', $$symphony.ack((select max(claim_id) from symphony.claim), '{0}')$$),
    ('SY010', $$symphony.ack((select max(claim_id) from symphony.claim), '{}')$$),
    ('SY010', $$symphony.release((select min(claim_id) from symphony.claim where size = 0))$$),
    ('SY010', $$symphony.nack_with_backoff(0, 1, 'x')$$),
    ('22023', $$symphony.nack_with_backoff((select max(claim_id) from symphony.claim), 1, 'x', retry_after => '-1 s')$$),
    ('22023', $$symphony.claim_batch(batch_size => 0)$$),
    ('22023', $$symphony.claim_batch(batch_size => 1001)$$),
    ('22023', $$symphony.claim_batch(batch_size => null)$$),
    ('22023', $$symphony.claim_batch(lease => '25 hours')$$),
    ('22023', $$symphony.claim_batch('{}')$$),
    ('22023', $$symphony.claim_batch(null)$$),
    ('22023', $$symphony.extend_lease('{1}', '1 ms')$$),
    ('22023', $$symphony.heartbeat(null, '{default}')$$),
    ('22023', $$symphony.heartbeat('w', '{}')$$),
    ('22023', $$symphony.create_queue('a b')$$),
    ('22023', $$symphony.configure_queue('default', max_attempts => 0)$$),
    ('22023', $$symphony.enqueue('')$$),
    ('22023', $$symphony.enqueue('A', 'null')$$),
    ('22023', $$symphony.enqueue('A', headers => '7')$$),
    ('22023', $$symphony.enqueue('A', priority => 10)$$),
    ('22023', $$symphony.enqueue('A', delay => '1 s', available_at => 'now')$$),
    ('22023', $$symphony.enqueue('A', delay => '-1 s')$$),
    ('22023', $$symphony.enqueue('A', available_at => '-infinity')$$),
    ('22023', $$symphony.enqueue('A', idempotency_key => '')$$),
    ('22023', $$symphony.grant_access(current_user, 'root')$$),
    ('SY020', $$symphony.request_workers('stop', '{nobody}')$$),
    ('22023', $$symphony.request_workers('sleep')$$),
    ('22023', $$symphony.request_workers(null)$$),
    ('42704', $$symphony.grant_access('sy_nobody', 'producer')$$),
    ('42704', $$symphony.revoke_access('sy_nobody', 'producer')$$);

select symphony.enqueue('A');
select symphony.claim_batch();

create temporary table raised (call text, code text, message text, detail text, hint text);
create function pg_temp.collect(call text) returns void language plpgsql as $$
declare
    v raised;
begin
    v.call := call;
    begin
        execute 'select ' || call;
        v.code := 'none';
    exception when others then
        get stacked diagnostics v.code = returned_sqlstate, v.message = message_text,
            v.detail = pg_exception_detail, v.hint = pg_exception_hint;
    end;
    insert into raised select v.*;
end $$;
select pg_temp.collect(call) from bad_call;
begin isolation level repeatable read;
insert into bad_call values ('SY011', 'symphony.claim_batch()'), ('SY011', $$symphony.purge_queue('default')$$);
select pg_temp.collect(call) from bad_call where code = 'SY011';
commit;

select is_empty(
    $$select b.call, b.code, r.code, r.message from bad_call as b join raised as r using (call) where b.code <> r.code$$,
    'every error has its code');
select is_empty(
    $$select call, detail from raised where coalesce(detail, '') !~ '^[A-Z].*[.]$' and detail !~ '^queue_max_attempts_is_sane: CHECK '$$,
    'every error has a DETAIL of whole sentences');
select is_empty(
    $$select call, hint from raised where coalesce(hint, '') !~ '^[A-Z0-9].*[.;]$'$$,
    'every error has a HINT of whole sentences');
select is_empty(
    $$select call, message from raised where message !~ '^[a-z"]' or message ~ '[.]$'$$,
    'every message is a phrase, as those of PostgreSQL are');

-- What the functions raise, with the % of each format as a wildcard.
select is_empty(
    $$select p.proname, raise[1]
      from pg_proc as p, regexp_matches(p.prosrc, $re$raise exception '((?:[^']|'')*)'$re$, 'g') as raise
      where p.pronamespace = 'symphony'::regnamespace and p.proname !~ 'cron|schedule'
        and not exists (select from raised where raised.message like '%' || raise[1] || '%')$$,
    'there is no error that was not raised here');
select * from finish();
