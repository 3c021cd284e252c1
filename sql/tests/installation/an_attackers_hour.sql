-- An attacker's hour: what roles with little access could think of beside the functions that they may
-- call (those are in the_access_matrix.sql, and who calls in who_calls_is_found_through_everything.sql).
-- docs/security.md tells what remains possible.
select plan(18);

create role sy_thief_enqueuer login password 'sy';
create role sy_thief_producer login password 'sy';
create role sy_thief_consumer login password 'sy';
create role sy_thief_observer login password 'sy';
create role sy_thief_public login password 'sy';
select symphony.create_queue(name) from unnest('{mail,sms}'::text[]) as name;
select symphony.grant_access('sy_thief_enqueuer', 'enqueuer', '{mail}'),
       symphony.grant_access('sy_thief_producer', 'producer', '{mail}'),
       symphony.grant_access('sy_thief_consumer', 'consumer', '{mail}'),
       symphony.grant_access('sy_thief_observer', 'observer');
grant usage on schema tap to public;
create schema sy_thief;
grant all on schema sy_thief to public;

select symphony.enqueue('Secret', '{"pin": 1234}', queue_name => 'sms') from generate_series(1, 3);
select symphony.create_schedule('nightly', 'Secret', 'interval', '{"every": "1 day"}', queue_name => 'sms');
select symphony.heartbeat('of sms', '{sms}'), symphony.idle('of sms', '{sms}');
create temporary table held as
select distinct claim_id from symphony.claim_batch('{sms}', 2, worker => 'of sms');

create function pg_temp.code_as(role_name text, statement text) returns text language plpgsql as $$
declare v_code text; begin
    perform set_config('role', role_name, true);
    v_code := (tap.error_of(statement)).code;
    perform set_config('role', 'none', true);
    return coalesce(v_code, 'done');
end $$;
create temporary table thief (role_name text);
insert into thief select rolname from pg_roles where starts_with(rolname, 'sy_thief_');

-- What none of them may do, each as each.
create temporary table attempt (what text, statement text);
insert into attempt values
    ('read a table', 'select * from symphony.message'),
    ('lock a row', 'select from symphony.queue for update'),
    ('lock a table', 'lock table symphony.message in access exclusive mode'),
    ('lock a turn', $$select from symphony.turn where turn_name = 'tick' for update$$),
    ('write a row', $$insert into symphony.message (message_id) values (1)$$),
    ('grant itself more', $$insert into symphony.access values ('sy_thief_public', 'operator')$$),
    ('see who may what', 'select * from symphony.access'),
    ('see or forge the audit', $$insert into symphony.audit (action) values ('x')$$),
    ('draw an id', $$select nextval('symphony.message_id_seq')$$),
    ('see how many there were', 'select last_value from symphony.message_id_seq'),
    ('reset a sequence', $$select setval('symphony.claim_id_seq', 1)$$),
    ('refer to a table', 'create table sy_thief.t (id bigint references symphony.message)'),
    ('hang a trigger on it', 'create trigger t before insert on symphony.message for each row '
                             'execute function suppress_redundant_updates_trigger()'),
    ('put a function into the schema', 'create function symphony.now() returns int return 1'),
    ('replace a function', $$create or replace function symphony._has_limits() returns boolean
                            language sql stable as 'select false'$$),
    ('change the settings of one', $$alter function symphony.ack(bigint, bigint[]) set role = 'x'$$),
    ('call what is private', 'select symphony._now()'),
    ('ask who it is', 'select symphony._caller()'),
    ('take the mark away from itself', 'revoke execute on function symphony._limited() from current_user'),
    ('enqueue by a private way', $$select symphony._enqueue_other('A', '{}', 'sms', 5, null, null, null, null,
        '{}', null, 1)$$),
    ('grant access', $$select symphony.grant_access('sy_thief_public', 'operator')$$),
    ('replace a schedule', $$select symphony.create_schedule('nightly', 'A', 'interval',
        '{"every": "1 h"}')$$),
    ('declare schedules', $$select * from symphony.sync_schedules('x', '[]')$$),
    ('drop a queue', $$select symphony.drop_queue('sms')$$),
    ('change a route', $$select symphony.set_routes('*', '["sms"]')$$),
    ('change a configuration', $$select * from symphony.apply_config('{}')$$),
    ('ask a worker to stop', $$select symphony.request_workers('stop')$$),
    ('replay what failed', $$select * from symphony.retry_failed(everything => true)$$),
    ('copy the table out', 'copy symphony.message to stdout');
select is_empty(
    $$select t.role_name, a.what, pg_temp.code_as(t.role_name, a.statement) as code
      from thief as t cross join attempt as a
      where pg_temp.code_as(t.role_name, a.statement) not in ('42501')
        and not (a.what = 'take the mark away from itself')
        and not (a.what in ('copy the table out') and pg_temp.code_as(t.role_name, a.statement) = '0A000')$$,
    'none of them may do any of this'
);
select is(
    has_function_privilege('sy_thief_enqueuer', 'symphony._limited()', 'execute'), true,
    'the mark of a limit stays, though its bearer tried to lose it'
);

-- Ids by guessing: every one is as unknown as one that there is not.
create temporary table guessed (role_name text, n bigint, answer text);
grant all on guessed to public;
create function pg_temp.guess(role_name text, template text, first bigint, last bigint) returns void
language plpgsql as $$
declare v_error record; begin
    perform set_config('role', guess.role_name, true);
    for n in first .. last loop
        v_error := tap.error_of(format(template, n));
        insert into guessed values (guess.role_name, n, concat_ws(
            ' ', v_error.code, replace(v_error.message, n::text, 'N'), v_error.detail, v_error.hint));
    end loop;
    perform set_config('role', 'none', true);
end $$;
select pg_temp.guess('sy_thief_producer', 'select symphony.cancel(%s)', 1, 30);
select pg_temp.guess('sy_thief_consumer', 'select symphony.ack(%s)', claim_id - 10, claim_id + 10) from held;
select pg_temp.guess('sy_thief_consumer', 'select symphony.release(%s)', claim_id - 3, claim_id + 3)
from held;
select pg_temp.guess('sy_thief_consumer', $$select symphony.nack_with_backoff(%s, 1, 'x')$$,
                     claim_id - 3, claim_id + 3) from held;
select results_eq(
    'select role_name, count(distinct answer) from guessed group by 1 order by 1',
    $$values ('sy_thief_consumer', 1::bigint), ('sy_thief_producer', 1)$$,
    'a guess that is right hears what any other hears'
);
select is((select cardinality(open_ids) from symphony.claim join held using (claim_id)), 2,
    'what was guessed at is still in the hands of its worker');

-- Headers, retries, keys and times of its own messages harm nobody else.
select is(pg_temp.code_as('sy_thief_enqueuer', $$select symphony.enqueue('A', queue_name => 'mail', headers =>
    '{"schedule": "nightly", "scheduled_at": "2020-01-01Z", "handler": "x", "correlation_id": "1"}',
    retry => '{"max_attempts": 1000}', priority => 9, idempotency_key => 'k', delay => '100 years')$$),
    'done',
    'an enqueuer chooses headers, retries, priority, key and time of its own messages');
select is((select run_count from symphony.schedule_status('nightly')), 0, 'which touch no schedule');
select symphony.enqueue('B', queue_name => 'sms', idempotency_key => 'k') as other \gset
select is((select message_type from symphony.message_status(:other)), 'B', 'and no key of another queue');

-- Names of its own are not taken for those of Symphony: see what a search path and temporary objects do.
select tap.dblink_connect('thief', tap.dsn() || ' user=sy_thief_enqueuer password=sy');
select tap.dblink_exec('thief', $$
    create temporary table queue (queue_name text);
    create temporary table lane (queue_name text, lane_id int);
    create temporary table access (role_name text, access text, role_oid oid, queues text[]);
    insert into access values ('sy_thief_enqueuer', 'enqueuer', 'sy_thief_enqueuer'::regrole, '{mail,sms}');
    create function sy_thief.pg_has_role(name, oid, text) returns boolean return true;
    create function sy_thief.has_function_privilege(name, oid, text) returns boolean return false;
    create function sy_thief.is_in(text, text[]) returns boolean return true;
    create type sy_thief.t as (x text);
    create function sy_thief.as_text(sy_thief.t) returns text language sql
        as 'select ''sms'' from (select set_config(''role'', ''none'', true)) as s';
    create cast (sy_thief.t as text) with function sy_thief.as_text(sy_thief.t) as implicit;
    set search_path = pg_temp, sy_thief, pg_catalog;
$$);
select throws_ok(
    $$select * from tap.dblink('thief',
        $s$select symphony.enqueue('A', queue_name => 'sms')$s$) as t (v text)$$,
    '42501', null, 'names in front of those of PostgreSQL are not looked at'
);
select throws_ok(
    $$select * from tap.dblink('thief',
        $s$select symphony.enqueue('A', queue_name => row('sms')::sy_thief.t)$s$) as t (v text)$$,
    '42501', null, 'a cast runs as its caller, before the function'
);
select throws_ok(
    format($$select tap.dblink_exec('thief', %L)$$, statement), '42501', null, 'refused: ' || statement
)
from unnest(array[format('set role %I', session_user), 'set role sy_thief_observer',
                  'set session authorization sy_thief_observer']) as statement;
select tap.dblink_disconnect('thief');

-- A view, a function and a rule of its own look like itself.
select is(pg_temp.code_as('sy_thief_enqueuer', $q$do $d$ begin
    execute 'create function sy_thief.definer() returns bigint language sql security definer '
            'as $f$ select symphony.enqueue(''A'', queue_name => ''sms'') $f$';
    execute 'select sy_thief.definer()';
end $d$$q$), '42501', 'a definer of its own is held to its limit');

-- Locks and notifications: what any login can do anyway holds up no sender, and is told.
select tap.elsewhere('locker', 'set role sy_thief_public');
select tap.elsewhere('locker', format('select pg_advisory_lock(1398361424, %s)', lane_id))
from symphony.lane where queue_name = 'sms';
select lives_ok($$select symphony.enqueue('A', queue_name => 'sms')$$, 'an advisory lock holds up no sender');
select matches(string_agg(detail, ' '), 'locked by|held by', 'whoever holds a lane is told')
from symphony.obstacles();
select tap.elsewhere('locker', 'select pg_advisory_unlock_all()');
select is(pg_temp.code_as('sy_thief_public', $$notify "symphony:sms", 'request'$$), 'done',
    'anybody may notify a channel: it is a hint, and nothing is believed of it');

-- A limited consumer that ticks and purges does what is due for all.
select tap.advance_clock('90 seconds');
select pg_temp.code_as('sy_thief_consumer', 'select symphony.tick(), symphony.purge()');
select is_empty($$select from symphony.worker where worker = 'of sms'$$,
    'a silent worker of another queue is forgotten by whoever purges');
select tap.set_clock(null);
select is((select count(*) from symphony.schedule_status('nightly') where enabled), 1::bigint,
    'and its schedule goes on');

drop schema sy_thief cascade;
do $$
declare v_role text; begin
    for v_role in select role_name from thief loop
        execute format('drop owned by %I', v_role);
        execute format('drop role %I', v_role);
    end loop;
end $$;
select * from finish();
