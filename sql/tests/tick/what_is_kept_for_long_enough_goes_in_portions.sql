-- purge, tick, tick_for: however much is to be removed, one call removes little, and what is due goes first.
-- Runs alone: a transaction in another database of the server holds up the purge.
select plan(24);

create function pg_temp.expire(keys integer) returns void language sql as $$
    insert into symphony.idempotency_key (queue_name, key, message_id, expires_at)
    select 'default', 'k' || i, 0, '2029-01-01Z' from generate_series(1, keys) as i
$$;
create function pg_temp.keys() returns bigint language sql as 'select count(*) from symphony.idempotency_key';
create function pg_temp.purge_all(portion integer) returns integer language plpgsql as $$
declare v_purged integer := 0; v_call record;
begin
    loop
        select * into v_call from symphony.purge(portion);
        v_purged := v_purged + v_call.purged;
        exit when not v_call.has_more;
    end loop;
    return v_purged;
end $$;
select tap.set_clock('2030-01-01 12:00Z');
select symphony.tick();

-- Many keys are free again at once.
select pg_temp.expire(25000);
select tap.advance_clock('10 s');
select is(symphony.tick() ->> 'purge_due', 'true', 'a tick tells that it has not purged all');
select is(pg_temp.keys(), 15000::bigint, 'it removes 10,000 keys');
select symphony.tick();
select is(symphony.tick() ->> 'purge_due', 'false', 'two ticks later there is no more');
select is(pg_temp.keys(), 0::bigint, 'all keys are gone');

-- It is left to the caller.
select pg_temp.expire(2500);
select tap.advance_clock('10 s');
select is(
    (select row(report ->> 'purge_due', report ->> 'purged')::text
     from symphony.tick(purge => false) as report),
    '(true,0)', 'a tick that is not to purge says that it is due'
);
select is(
    symphony.tick() ->> 'purge_due', 'false', 'for the next 10 seconds other ticks leave it to that caller'
);
select is(pg_temp.keys(), 2500::bigint, 'they have removed nothing');
select results_eq(
    'select has_more from symphony.purge(at_most => 2000)',
    'values (true)',
    'purge() tells that there is more'
);
select is(pg_temp.keys(), 500::bigint, 'it has removed as many as it was to');
select results_eq(
    'select has_more from symphony.purge()',
    'values (false)',
    'it tells that there is no more'
);

-- Each kind has its portion.
select symphony.create_queue('a', retention => '0', failed_retention => '1 minute');
select symphony.create_queue('b', retention => '0');
select symphony.enqueue('A', queue_name => q) from unnest('{a,b}'::text[]) as q, generate_series(1, 30);
do $$
declare v_claim_id bigint;
begin
    for i in 1 .. 30 loop
        select claim_id into v_claim_id from symphony.claim_batch('{a,b}', 2);
        perform symphony.ack(v_claim_id);
    end loop;
end $$;
insert into symphony.failed_message (
    message_id, failed_at, enqueued_at, lane_id, attempt, reason, message_type, body, headers, last_error)
select nextval('symphony.message_id_seq'), '2029-01-01Z', '2029-01-01Z', lane_id, 1, 'permanent', 'A', '{}',
       '{}', 'x'
from symphony.lane, generate_series(1, 30)
where queue_name = 'a' and priority = 5;
insert into symphony.schedule_run (schedule_name, scheduled_at, fired_at, message_id)
select 's', '2029-01-01Z'::timestamptz + i * interval '1 s', '2029-01-01Z', 1
from generate_series(1, 30) as i;
select pg_temp.expire(30);
select tap.advance_clock('10 s');
create temporary table portion as select * from symphony.purge(at_most => 20);
select is((select count(*) from symphony.message), 40::bigint, 'of 60 completed messages 20 are removed');
select is((select count(*) from symphony.failed_message), 10::bigint, 'so are 20 of the failed ones');
select is((select count(*) from symphony.schedule_run), 10::bigint, 'so are 20 runs of schedules');
select is(pg_temp.keys(), 10::bigint, 'and 20 keys');
select results_eq('select * from portion', 'values (40, true)', 'it tells how many messages that were');
select is(
    pg_temp.purge_all(20), 50, 'further calls remove the others'
);
select is(
    (select count(*) from symphony.claim join symphony.lane using (lane_id)
     where queue_name in ('a', 'b') and priority = 5),
    2::bigint, 'the position of each lane stays'
);
select results_eq('select * from symphony.purge()', 'values (0, false)', 'then nothing is left to do');
select is_empty('select * from symphony.check()', 'all invariants hold');

-- Somebody else is at it, or the positions are not of this server.
select symphony.enqueue('A', queue_name => 'b');
select symphony.ack(claim_id) from symphony.claim_batch('{b}');
select tap.advance_clock('10 s');
select tap.elsewhere('other', 'begin');
select tap.elsewhere('other', 'select purged from symphony.purge()');
set lock_timeout = '100 ms';
select results_eq(
    'select * from symphony.purge()', 'values (0, false)', 'purge() waits for nobody who does the same'
);
reset lock_timeout;
select tap.elsewhere('other', 'rollback');
begin;
delete from symphony.server_mark;
select is((select purged from symphony.purge()), 0, 'nothing is removed before rebase() has been here');
rollback;

-- A job scheduler calls tick_for().
select symphony.enqueue('A', available_at => '2030-01-01 13:00Z') from generate_series(1, 2500);
select pg_temp.expire(2500);
select tap.set_clock('2030-01-01 14:00Z');
select is(symphony.tick() ->> 'has_more', 'true', 'a tick tells that more is due');
call symphony.tick_for('2 seconds', '10 seconds');
select is(
    (select count(*) from symphony.delayed_message), 0::bigint,
    'tick_for() goes on at once while more is due'
);
select is(pg_temp.keys(), 0::bigint, 'it purges until there is no more');
select * from finish();
