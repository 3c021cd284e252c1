-- audit: each function that an operator may call, and that changes something, leaves a row: who, when,
-- what with which arguments, how many.  What changes nothing leaves none, nor do messages on their way.
select plan(29);

create role sy_audit_ops;
select symphony.grant_access('sy_audit_ops', 'operator');
select symphony.create_queue('mail'), symphony.create_transport('slow', queue_name => 'mail'),
       symphony.sync_handlers('Two', '{a,b}');
select symphony.enqueue('Bad', queue_name => 'mail') from generate_series(1, 8);
select symphony.nack_with_backoff(c.claim_id, c.message_id, 'x', 'X', false)
from symphony.claim_batch('{mail}') as c;
select symphony.enqueue('A', queue_name => 'mail');
select symphony.create_queue('kept', ordered => true);
select symphony.enqueue('A', queue_name => 'kept', group_key => 'k');
select symphony.nack_with_backoff(c.claim_id, c.message_id, 'x', retry_after => '1 day')
from symphony.claim_batch('{kept}') as c;
select symphony.create_schedule('daily', 'A', 'interval', '{"every": "1 day"}');
select symphony.enqueue('A', delay => '1 day');
select symphony.heartbeat('w', '{mail}');

-- What every function of an operator writes.  Those that write nothing are looks, or turn the clock.
create temporary table did (
    n integer generated always as identity, function_name text, statement text, action text,
    arguments jsonb, affected bigint);
create function pg_temp.first_failed() returns bigint[] language sql as
    $$select array[min(message_id)] from symphony.failed_messages()$$;
create function pg_temp.let_access_wait() returns void language sql as
    $$update symphony.access set role_oid = null where access = 'observer'$$;
create function pg_temp.come_from_elsewhere() returns void language sql as
    $$delete from symphony.server_mark; insert into symphony.server_mark values (1), (2)$$;
insert into did (function_name, statement, action, arguments, affected) values
    ('create_queue', $$select symphony.create_queue(queue_name => 'new', max_attempts => 3,
        retry_delay => '2 s', retry_multiplier => 3, retry_max_delay => '1 min', retry_jitter => 0.3,
        lease => '1 min', retention => '2 d', max_body_bytes => 1000, idempotency_window => '2 d',
        failed_retention => '9 d', max_snooze => '2 d', ordered => true, key_concurrency => 1,
        concurrency => 5, on_failure => 'hold', rate => '5/1 s',
        burst => 5, key_rate => '5/1 s')$$, 'create_queue', '{"queue_name": "new"}', 1),
    ('configure_queue', $$select symphony.configure_queue(queue_name => 'new', max_attempts => 4,
        retry_delay => '3 s', retry_multiplier => 4, retry_max_delay => '2 min', retry_jitter => 0.4,
        lease => '2 min', retention => '3 d', max_body_bytes => 1001, idempotency_window => '3 d',
        failed_retention => '8 d', max_snooze => '3 d', ordered => false, key_concurrency => 2,
        concurrency => 6, on_failure => 'continue', rate => '6/1 s',
        burst => 6, key_rate => '6/1 s')$$, 'configure_queue',
        '{"queue_name": "new", "max_attempts": 4, "lease": "00:02:00"}', 1),
    ('pause_queue', $$select symphony.pause_queue('mail')$$, 'pause_queue', '{"queue_name": "mail"}', 1),
    ('resume_queue', $$select symphony.resume_queue('mail')$$, 'resume_queue', '{"queue_name": "mail"}', 1),
    ('purge_queue', $$select symphony.purge_queue('mail', (symphony.purge_preview('mail')).seen)$$,
        'purge_queue', '{"queue_name": "mail"}', 1),
    ('release_key', $$select symphony.release_key('kept', 'k')$$, 'release_key',
        '{"queue_name": "kept", "group_key": "k"}', 1),
    ('drop_queue', $$select symphony.drop_queue('new')$$, 'drop_queue',
        '{"queue_name": "new", "force": false}', 0),
    ('run_message_now', $$select symphony.run_message_now(message_id)
        from symphony.list_messages('delayed', 'default')$$, 'run_message_now', '{}', 1),
    ('request_workers', $$select symphony.request_workers(command => 'pause', workers => '{w}',
        queue_name => 'mail')$$, 'request_workers', '{"command": "pause", "workers": ["w"]}', 1),
    ('retry_failed', $$select symphony.retry_failed(pg_temp.first_failed(),
        body => '{"secret": "s3cret"}')$$, 'retry_failed', '{"body": "(replaced)", "everything": false}', 1),
    ('retry_failed', $$select symphony.retry_failed(queue_name => 'mail', message_type => 'Bad',
        error_class => 'X', since => '2020-01-01Z', until => 'infinity', search => 'x', per_second => 100,
        everything => false, at_most => 1, up_to_id => 9999)$$, 'retry_failed',
        '{"error_class": "X", "search": "x", "up_to_id": 9999}', 1),
    ('remove_failed', $$select symphony.remove_failed(pg_temp.first_failed())$$, 'remove_failed',
        '{"everything": false}', 1),
    ('remove_failed', $$select symphony.remove_failed(queue_name => 'mail', message_type => 'Bad',
        error_class => 'X', since => '2020-01-01Z', until => 'infinity', search => 'x',
        everything => false, at_most => 1, up_to_id => 9999)$$, 'remove_failed',
        '{"error_class": "X", "search": "x", "up_to_id": 9999}', 1),
    ('retry_many_failed', $$call symphony.retry_many_failed('mail', at_most => 1)$$, 'retry_failed',
        '{"queue_name": "mail"}', 1),
    ('remove_many_failed', $$call symphony.remove_many_failed('mail', at_most => 2)$$, 'remove_failed',
        '{"queue_name": "mail"}', 2),
    ('create_schedule', $$select symphony.create_schedule('hourly', 'A', 'interval', '{"every": "1 hour"}',
        body => '{"secret": "s3cret"}', queue_name => 'mail', priority => 4,
        headers => '{"secret": "s3cret"}', timezone => 'UTC', starts_at => '2020-01-01Z',
        ends_at => '2100-01-01Z', max_runs => 9, jitter => '1 s', catch_up => 'all', catch_up_limit => 7,
        overlap => 'skip', expires_in => '1 h', on_expiry => 'fail')$$, 'create_schedule',
        '{"schedule_name": "hourly", "message_type": "A", "timezone": "UTC", "schedule_type": "interval",
          "schedule_config": {"every": "1 hour"}}', 1),
    ('pause_schedule', $$select symphony.pause_schedule('daily')$$, 'pause_schedule',
        '{"schedule_name": "daily"}', 1),
    ('resume_schedule', $$select symphony.resume_schedule('daily')$$, 'resume_schedule',
        '{"schedule_name": "daily"}', 1),
    ('run_schedule_now', $$select symphony.run_schedule_now('daily')$$, 'run_schedule_now',
        '{"schedule_name": "daily"}', 1),
    ('remove_schedule', $$select symphony.remove_schedule('daily')$$, 'remove_schedule',
        '{"schedule_name": "daily"}', 1),
    ('sync_schedules', $$select symphony.sync_schedules('shop', '[{"schedule_name": "s", "message_type": "A",
        "schedule_type": "interval", "schedule_config": {"every": "1 hour"}}]')$$, 'create_schedule',
        '{"schedule_name": "s"}', 1),
    ('create_transport', $$select symphony.create_transport('fast', transport_type => 'postgres',
        queue_name => 'mail', priority => 7, config => '{"secret": "s3cret"}')$$, 'create_transport',
        '{"transport_name": "fast", "transport_type": "postgres", "queue_name": "mail", "priority": 7}', 1),
    ('disable_transport', $$select symphony.disable_transport('slow')$$, 'disable_transport',
        '{"transport_name": "slow"}', 1),
    ('enable_transport', $$select symphony.enable_transport('slow')$$, 'enable_transport',
        '{"transport_name": "slow"}', 1),
    ('remove_transport', $$select symphony.remove_transport('fast')$$, 'remove_transport',
        '{"transport_name": "fast"}', 1),
    ('set_routes', $$select symphony.set_routes('A', '["slow"]')$$, 'set_routes',
        '{"pattern": "A", "routes": ["slow"]}', 1),
    ('sync_handlers', $$select symphony.sync_handlers('A', '{x,y}')$$, 'sync_handlers',
        '{"message_type": "A", "handler_names": ["x", "y"]}', 1),
    ('remove_handler', $$select symphony.remove_handler('A', 'x')$$, 'remove_handler',
        '{"message_type": "A", "handler_name": "x"}', 1),
    ('set_retry_policy', $$select symphony.set_retry_policy('A', max_attempts => 9, delay => '1 s',
        multiplier => 3, max_delay => '1 min', jitter => 0.5, permanent_errors => '{P}',
        transient_errors => '{T}', retry_after_errors => '{"R": "1 min"}',
        snooze_errors => '{"S": "1 min"}')$$, 'set_retry_policy', '{"pattern": "A", "max_attempts": 9}', 1),
    ('remove_retry_policy', $$select symphony.remove_retry_policy('A')$$, 'remove_retry_policy',
        '{"pattern": "A"}', 1),
    ('remove_retry_policy', $$select symphony.remove_retry_policy(queue_name => 'kept')$$,
        'remove_retry_policy', '{"queue_name": "kept"}', 1),
    ('apply_config', $$select symphony.apply_config(
        '{"queues": {"mail": {"lease": "2 min"}, "kept": {"lease": "3 min"}}}')$$,
        'apply_config', '{"changed": ["queue kept", "queue mail"]}', 2),
    ('note', $$select symphony.note('the mail server is down')$$, 'note',
        '{"remark": "the mail server is down"}', 1),
    ('grant_access', $$select symphony.grant_access('sy_audit_ops', 'observer')$$, 'grant_access',
        '{"role_name": "sy_audit_ops", "access": "observer"}', 1),
    ('grant_access', $$select symphony.grant_access('sy_audit_ops', 'producer', queues => '{mail}')$$,
        'grant_access', '{"access": "producer", "queues": ["mail"]}', 1),
    ('restore_access', $$select pg_temp.let_access_wait(); select symphony.restore_access()$$,
        'restore_access', '{}', 1),
    ('revoke_access', $$select symphony.revoke_access('sy_audit_ops', 'observer')$$, 'revoke_access',
        '{"role_name": "sy_audit_ops", "access": "observer"}', 1),
    ('rebase', $$select pg_temp.come_from_elsewhere(); set local role sy_audit_ops;
        select symphony.rebase()$$, 'rebase', '{}', 0),
    -- They run as who calls, and need pg_cron; python/tests/campaigns/test_pg_cron.py has it.
    ('install_pg_cron', null, null, null, null),
    ('uninstall_pg_cron', null, null, null, null);
select is_empty(
    $$select function_name from symphony._access_list() where access = 'operator'
      except select function_name from symphony._access_list() where access = 'observer'
      except select unnest('{tick,purge,tick_schedules,tick_for}'::text[])
      except select function_name from did$$,
    'every function of an operator that changes something is known here'
);
select is_empty(
    $$select p.proname from pg_proc as p
      where p.pronamespace = 'symphony'::regnamespace and p.provolatile = 'v'
        and has_function_privilege('sy_audit_ops', p.oid, 'execute')
        and p.proname <> all ('{tick,purge,tick_schedules,tick_for}')
      except select function_name from did$$,
    'so says the catalog, of every function that may change something and that an operator may execute'
);
select is_empty(
    $$select p.proname from pg_proc as p
      where p.pronamespace = 'symphony'::regnamespace and p.proname ~ 'install_pg_cron$'
        and p.prosrc !~ ('perform symphony.note\(''' || p.proname)$$,
    'those that need pg_cron leave a note'
);

create temporary table became (n integer, function_name text, rows jsonb);
create procedure pg_temp.do_all() language plpgsql as $$
declare v_did did; v_last bigint; begin
    for v_did in select * from did where statement not like 'call %' order by n loop
        v_last := (select coalesce(max(audit_id), 0) from symphony.audit);
        if v_did.function_name !~ '^(grant|revoke|restore)_access$|^rebase$' then
            perform set_config('role', 'sy_audit_ops', false);
        end if;
        execute v_did.statement;
        perform set_config('role', 'none', false);
        insert into became
        select v_did.n, v_did.function_name, coalesce(jsonb_agg(to_jsonb(a) order by a.audit_id), '[]')
        from symphony.audit as a where a.audit_id > v_last;
        commit;
    end loop;
end $$;
set application_name = 'the test';
set symphony.actor = 'ada@web1';
call pg_temp.do_all();
-- A procedure that commits is called by none.
create temporary table mark as select max(audit_id) as audit_id from symphony.audit;
call symphony.retry_many_failed('mail', at_most => 1, actor => 'grace');
call symphony.remove_many_failed('mail', at_most => 2, actor => 'grace');
insert into became
select did.n, did.function_name, jsonb_build_array(to_jsonb(a) || '{"actor": "ada@web1"}')
from symphony.audit as a, mark, did
where a.audit_id > mark.audit_id and did.statement like 'call %' and did.action = a.action;
select is(
    (select array_agg(distinct actor) from symphony.audit, mark where audit.audit_id > mark.audit_id),
    '{grace}', 'a procedure is told the actor'
);
select is_empty(
    $$select d.function_name, b.rows from did as d left join became as b using (n)
      where d.action is not null and not coalesce( b.rows @> jsonb_build_array(
          jsonb_build_object('action', d.action, 'arguments', d.arguments, 'affected', d.affected)), false)$$,
    'each tells what it did, and to how many'
);
select is_empty(
    $$select function_name, r from became, jsonb_array_elements(rows) as r
      where r ->> 'role_name' <> case when function_name ~ '_access$|_many_' then session_user
                                      else 'sy_audit_ops' end
         or r ->> 'login_name' <> session_user or r ->> 'actor' <> 'ada@web1'
         or r ->> 'application' <> 'the test'$$,
    'and who did it: the role, its login, the actor and the application'
);
select is_empty(
    $$select d.function_name, r from did as d join became as b using (n), jsonb_array_elements(b.rows) as r
      where r ->> 'affected' is null or (r ->> 'done_at')::timestamptz not between now() - interval '5 min'
                                                                             and clock_timestamp()$$,
    'and when, and how many'
);
select is_empty(
    $$select d.function_name, b.rows from did as d join became as b using (n)
      where d.action is not null and jsonb_array_length(b.rows) > 2 + (d.affected - 1)$$,
    'a call leaves one row, or two'
);
-- Bodies are told of and not kept, a number is told by how many, and what a dry run would do is not done.
select is_empty(
    $$select p.proname, argument.name
      from pg_proc as p
      cross join unnest(p.proargnames[:p.pronargs]) as argument (name)
      where p.pronamespace = 'symphony'::regnamespace
        and exists (select from did where did.function_name = p.proname and did.statement <> '')
        and p.proname <> all ('{note,sync_schedules,apply_config,retry_many_failed,remove_many_failed}')
        and argument.name <> all ('{dry_run,at_most}')
        and not (p.proname = 'create_schedule' and argument.name in ('body', 'headers'))
        and not exists (
            select from became as b, jsonb_array_elements(b.rows) as r
            where b.function_name = p.proname and r -> 'arguments' ? argument.name)$$,
    'and with which arguments: those that the catalog knows'
);
select is_empty(
    $$select a.* from symphony.audit as a where a.arguments::text ~ 's3cret'$$, 'no body is kept'
);
reset symphony.actor;

-- What changes nothing leaves nothing, and so do looks, dry runs and the way of a message.
create function pg_temp.rows_of(statement text) returns bigint language plpgsql as $$
declare v_before bigint := (select count(*) from symphony.audit); begin
    execute statement;
    return (select count(*) from symphony.audit) - v_before;
end $$;
select is(pg_temp.rows_of(statement), 0::bigint, 'nothing is noted of: ' || statement)
from unnest(array[
    $$select symphony.create_queue('mail')$$,
    $$select symphony.configure_queue('mail', lease => '2 min')$$,
    $$select symphony.resume_queue('mail')$$,
    $$select symphony.sync_handlers('Two', '{a,b}')$$,
    $$select symphony.set_routes('A', '["slow"]')$$,
    $$select symphony.retry_failed(everything => true, dry_run => true)$$,
    $$select symphony.apply_config('{"queues": {"mail": {"lease": "3 min"}}}', dry_run => true)$$,
    $$select symphony.remove_schedule('nope')$$,
    $$select symphony.enqueue('A'), symphony.tick(), symphony.purge(), symphony.tick_schedules()$$,
    $$select symphony.ack(claim_id) from symphony.claim_batch() limit 1$$
]) as statement;
select is(pg_temp.rows_of($$select tap.error_of('select symphony.pause_queue(''nope'')')$$), 0::bigint,
    'nothing is noted of what was refused');

-- It is told where a pause is told.
select tap.set_clock('2027-01-01 12:00Z');
set symphony.actor = 'ada';
select symphony.resume_queue('mail'), symphony.pause_queue('mail');
select symphony.enqueue('Held', queue_name => 'mail') as held \gset
select matches(symphony.why_not_running(:held), 'paused since .* by ' || session_user || ' \(ada\): select',
    'who paused a queue is told with the reason');
select symphony.resume_queue('mail'), symphony.disable_transport('slow');
select matches(symphony.why_not_running(:held), 'disabled since .* by ' || session_user || ' \(ada\): select',
    'and who disabled a transport');
select results_eq(
    $$select action from symphony.audit(subject => 'mail', since => '2027-01-01 12:00Z')$$,
    array['resume_queue', 'pause_queue'], 'the audit is asked for what was done to something, newest first'
);
select results_eq(
    $$select action from symphony.audit(actor => 'ada', at_most => 1,
        before_id => (select max(audit_id) from symphony.audit))$$,
    array['resume_queue'], 'and for a page'
);

-- Append only, for a year.
select is_empty(
    $$select a.privilege_type from pg_class as c, aclexplode(c.relacl) as a
      where c.oid = 'symphony.audit'::regclass and (a.privilege_type in ('UPDATE', 'TRUNCATE')
          or a.grantee <> c.relowner)$$,
    'nobody may change or empty it, the owner included'
);
select tap.set_clock('2027-12-31 12:00Z');
select symphony.purge();
select isnt_empty(
    $$select from symphony.audit where done_at = '2027-01-01 12:00Z'$$, 'it is kept for a year'
);
select tap.set_clock('2028-01-02 12:00Z');
select symphony.purge(at_most => 1);
select cmp_ok((select count(*) from symphony.audit), '>', 0::bigint, 'and then purged in portions');
select symphony.purge();
select is((select count(*) from symphony.audit), 0::bigint, 'to the end');
select tap.set_clock(null);

drop owned by sy_audit_ops;
drop role sy_audit_ops;
delete from symphony.access;
select * from finish();
