-- queue_stats, schedule_status, worker_activity, list_transports: who paused what they show, and since when.
select plan(13);

create role sy_pause_ops;
select symphony.grant_access('sy_pause_ops', 'operator');
select tap.set_clock('2027-01-01 12:00Z');
select symphony.create_queue('mail'), symphony.create_transport('slow', queue_name => 'mail'),
       symphony.create_schedule('daily', 'A', 'interval', '{"every": "1 day"}'),
       symphony.heartbeat('w', '{mail}'), symphony.heartbeat('x', '{mail}');
create function pg_temp.told() returns table (thing text, at timestamptz, by text) language sql as $$
    select 'queue', paused_at, paused_by from symphony.queue_stats('mail')
    union all select 'transport', disabled_at, disabled_by from symphony.list_transports()
    union all select 'schedule', paused_at, paused_by from symphony.schedule_status('daily')
    union all select 'worker', requested_at, requested_by from symphony.worker_activity() where worker = 'w'
$$;
select is_empty('select * from pg_temp.told() where at is not null or by is not null', 'nobody did anything');
set symphony.actor = 'ada@web1';
set role sy_pause_ops;
select symphony.pause_queue('mail'), symphony.disable_transport('slow'), symphony.pause_schedule('daily');
select symphony.request_workers('pause', '{w}');
reset role;
reset symphony.actor;
select is(by, 'sy_pause_ops (ada@web1)', 'told: who paused the ' || thing) from pg_temp.told();
select is((select count(*) from pg_temp.told() where at = '2027-01-01 12:00Z'), 4::bigint, 'and since when');

-- What is done a second time, or to something else of it, changes nothing of that.
select tap.set_clock('2027-01-01 13:00Z');
select symphony.pause_queue('mail'), symphony.disable_transport('slow'), symphony.pause_schedule('daily'),
       symphony.create_transport('slow', queue_name => 'mail', priority => 3),
       symphony.create_schedule('daily', 'B', 'interval', '{"every": "1 day"}'),
       symphony.configure_queue('mail', lease => '1 min'), symphony.heartbeat('w', '{mail}');
select is(
    (select count(*) from pg_temp.told() where at = '2027-01-01 12:00Z' and by = 'sy_pause_ops (ada@web1)'),
    4::bigint, 'it is who did it first'
);
select is((select requested_by from symphony.worker_activity() where worker = 'x'), null,
    'another worker was asked for nothing');
select is((select paused_by from symphony.queue_stats('default')), null, 'another queue is not paused');
delete from symphony.audit;
select is((select count(*) from pg_temp.told() where by like 'sy_pause_ops%'), 4::bigint,
    'it is known when the audit has forgotten');

select symphony.request_workers('stop', '{w}');
select is((select by from pg_temp.told() where thing = 'worker'), session_user::text,
    'a new request is signed anew');
select symphony.resume_queue('mail'), symphony.enable_transport('slow'), symphony.resume_schedule('daily');
select is((select count(*) from pg_temp.told() where by is not null), 1::bigint,
    'what goes on is signed by nobody');
select symphony.stop_worker('w'), symphony.heartbeat('w', '{mail}');
select is((select count(*) from pg_temp.told() where at is not null), 0::bigint,
    'a worker that is started again was asked for nothing');

select symphony.revoke_access('sy_pause_ops', 'operator');
drop owned by sy_pause_ops;
drop role sy_pause_ops;
select * from finish();
