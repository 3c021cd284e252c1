-- Who calls is the role of SET ROLE, or the login, whatever security definers are in between; so a limit
-- to some queues holds in a wrapper of the host's, in a trigger and for members, and nothing evades it.
select plan(31);

create role sy_who_web login password 'sy';
create role sy_who_group;
create role sy_who_member login password 'sy' in role sy_who_group;
create role sy_who_stranger login password 'sy' in role sy_who_group noinherit;
create role sy_who_gateway login password 'sy' noinherit;
create role sy_who_host;
create role sy_who_anon;
grant sy_who_web, sy_who_anon to sy_who_gateway;
grant usage on schema tap, public to public;
select symphony.create_queue(name) from unnest('{mail,sms}'::text[]) as name;
select symphony.grant_access('sy_who_web', 'enqueuer', '{mail}'),
       symphony.grant_access('sy_who_group', 'producer', '{mail}'),
       symphony.grant_access('sy_who_host', 'producer');
create function pg_temp.caller_of(statement text) returns text language plpgsql as $$
begin
    execute statement;
    return (select symphony._caller());
end $$;

-- The wrapper of a host: it may do everything, and its callers only what it does for them.
create function public.send(queue text) returns bigint language sql security definer
set search_path = '' as $$ select symphony.enqueue('Wrapped', queue_name => send.queue) $$;
create function public.send_for_others(queue text) returns bigint language sql security definer
as $$ select public.send(send_for_others.queue) $$;
create function public.on_order() returns trigger language plpgsql security definer as $$
begin
    perform symphony.enqueue('Order', queue_name => new.queue);
    return new;
end $$;
alter function public.send(text) owner to sy_who_host;
alter function public.on_order() owner to sy_who_host;
create table public.orders (queue text);
create trigger orders_are_sent after insert on public.orders for each row execute function public.on_order();
grant insert on public.orders to public;

create function pg_temp.code_as(role_name text, statement text) returns text language plpgsql as $$
declare v_code text; begin
    perform set_config('role', role_name, true);
    v_code := (tap.error_of(statement)).code;
    perform set_config('role', 'none', true);
    return coalesce(v_code, 'done');
end $$;
-- A login of its own.
create function pg_temp.code_of_login(login text, statement text, before text default 'reset role')
returns text language plpgsql as $$
declare v_code text; begin
    begin
        perform tap.dblink_connect('login', tap.dsn() || format(' user=%s password=sy', login));
        perform tap.dblink_exec('login', before);
        perform from tap.dblink('login', statement) as t (value text);
    exception when others then
        get stacked diagnostics v_code = returned_sqlstate;
    end;
    perform tap.dblink_disconnect('login');
    return coalesce(v_code, 'done');
end $$;

select is(symphony._caller(), session_user, 'without a role the caller is the login');
set role sy_who_anon;
reset role;
begin;
set local role sy_who_anon;
select is(current_setting('role'), 'sy_who_anon', 'a role was taken');
reset role;
commit;

select is(pg_temp.code_as('sy_who_web', $$select symphony.enqueue('A', queue_name => 'mail')$$), 'done',
    'by SET ROLE: the granted queue');
select is(pg_temp.code_as('sy_who_web', $$select symphony.enqueue('A', queue_name => 'sms')$$), '42501',
    'by SET ROLE: no other');
select is(pg_temp.code_of_login('sy_who_web', $$select symphony.enqueue('A', queue_name => 'mail')$$), 'done',
    'by a login: the granted queue');
select is(pg_temp.code_of_login('sy_who_web', $$select symphony.enqueue('A', queue_name => 'sms')$$), '42501',
    'by a login: no other');
select is(pg_temp.code_of_login('sy_who_gateway', $$select symphony.enqueue('A', queue_name => 'mail')$$,
    'set role sy_who_web'), 'done', 'by a gateway that takes the role: the granted queue');
select is(pg_temp.code_of_login('sy_who_gateway', $$select symphony.enqueue('A', queue_name => 'sms')$$,
    'set role sy_who_web'), '42501', 'by a gateway that takes the role: no other');
select is(pg_temp.code_of_login('sy_who_gateway', $$select symphony.enqueue('A', queue_name => 'mail')$$),
    '42501', 'by a gateway that takes no role: none');
select is(pg_temp.code_of_login('sy_who_member', $$select symphony.enqueue('A', queue_name => 'mail')$$),
    'done', 'a member of a role may use its queues');
select is(pg_temp.code_of_login('sy_who_member', $$select symphony.enqueue('A', queue_name => 'sms')$$),
    '42501', 'a member of a role may use no others');
select is(pg_temp.code_of_login('sy_who_stranger', $$select symphony.enqueue('A', queue_name => 'mail')$$),
    '42501', 'a member that inherits nothing may use none');

select is(pg_temp.code_as('sy_who_anon', $$select symphony.enqueue('A', queue_name => 'mail')$$), '42501',
    'a role that was granted nothing may not enqueue');
select is(pg_temp.code_as('sy_who_anon', $$select public.send('sms')$$), 'done',
    'it may through a wrapper, which decides');
select is(pg_temp.code_as('sy_who_anon', $$insert into public.orders values ('sms')$$), 'done',
    'and through a trigger');
select is(pg_temp.code_as('sy_who_web', $$select public.send('mail')$$), 'done',
    'a wrapper looks like its caller: the granted queue');
select is(pg_temp.code_as('sy_who_web', $$select public.send('sms')$$), '42501',
    'a wrapper looks like its caller: no other');
select is(pg_temp.code_as('sy_who_web', $$select public.send_for_others('sms')$$), '42501',
    'so does a wrapper in a wrapper');
select is(pg_temp.code_as('sy_who_web', $$insert into public.orders values ('sms')$$), '42501',
    'so does a trigger');

-- A gateway, as PostgREST is one: the role of the token, its claims, and GET in a read-only transaction.
create function public.send_as_user(address text) returns bigint language sql security definer
set search_path = '' as $$
    select symphony.enqueue('Mail', jsonb_build_object('to', address), queue_name => 'mail',
        headers => jsonb_build_object('user', current_setting('request.jwt.claims', true)::jsonb ->> 'sub'))
$$;
alter function public.send_as_user(text) owner to sy_who_host;
begin;
select set_config('request.jwt.claims', '{"sub": "ada", "role": "sy_who_anon"}', true);
set local role sy_who_anon;
select public.send_as_user('ada@example.com');
reset role;
commit;
select is((select headers ->> 'user' from symphony.message where message_type = 'Mail'), 'ada',
    'a wrapper puts the user of the token into the headers');
begin read only;
set local role sy_who_web;
select throws_ok($$select symphony.enqueue('A', queue_name => 'mail')$$, '25006', null,
    'nothing is enqueued by a request that only reads');
rollback;

-- What a limited role can make or set does not help it.
create schema sy_who authorization sy_who_web;
select is(pg_temp.code_of_login('sy_who_web', $$select symphony.enqueue('A', queue_name => 'sms')$$, before),
    '42501', 'not evaded by: ' || before)
from unnest(array[
    $$create function sy_who.current_setting(text) returns text return 'postgres';
      set search_path = sy_who, pg_catalog$$,
    $$create function sy_who.same(text, text) returns boolean return true;
      create operator sy_who.= (leftarg = text, rightarg = text, function = sy_who.same);
      set search_path = sy_who, pg_catalog$$,
    $$create temporary table access (role_name text, access text, role_oid oid, queues text[])$$,
    $$set symphony.limits = off; set symphony.role = 'postgres'$$
]) as before;

-- It is found anew in each call, though plans are kept.
begin;
create temporary table found (n integer, code text);
grant all on found to public;
select symphony.enqueue('A', queue_name => 'sms') from generate_series(1, 8);
set local role sy_who_web;
insert into found select 1, (tap.error_of($$select symphony.enqueue('A', queue_name => 'sms')$$)).code;
reset role;
insert into found select 2, (tap.error_of($$select symphony.enqueue('A', queue_name => 'sms')$$)).code;
set local role sy_who_web;
insert into found select 3, (tap.error_of($$select symphony.enqueue('A', queue_name => 'sms')$$)).code;
reset role;
select results_eq('select code from found order by n', array['42501', null, '42501'],
    'one session that takes one role after another is told apart each time');
commit;

-- A session whose plans are made does not miss the first limit, nor the end of the last.
select symphony.revoke_access('sy_who_web', 'enqueuer'), symphony.revoke_access('sy_who_group', 'producer'),
       symphony.grant_access('sy_who_web', 'enqueuer');
select tap.elsewhere('busy', 'set role sy_who_web');
select tap.elsewhere('busy', $$select symphony.enqueue('A', queue_name => 'sms')$$)
from generate_series(1, 8);
select symphony.grant_access('sy_who_web', 'enqueuer', '{mail}');
select throws_ok($$select tap.elsewhere('busy', $s$select symphony.enqueue('A', queue_name => 'sms')$s$)$$,
    '42501', null, 'a session with plans minds the first limit');
select symphony.grant_access('sy_who_web', 'enqueuer');
select lives_ok($$select tap.elsewhere('busy', $s$select symphony.enqueue('A', queue_name => 'sms')$s$)$$,
    'and its end');
select is(symphony._has_limits(), false, 'no limit is left');

-- A schedule is nobody's: whoever ticks, it fires.
select symphony.create_schedule('sms', 'A', 'once', '{"at": "2020-01-01Z"}', queue_name => 'sms');
select symphony.grant_access('sy_who_web', 'consumer', '{mail}');
select is(pg_temp.code_as('sy_who_web', 'select symphony.tick()'), 'done', 'a limited consumer may tick');
select is((select message_type from symphony.message as m where m.headers ->> 'schedule' = 'sms'), 'A',
    'and so schedules of other queues fire');

select tap.dblink_disconnect('busy');
drop table public.orders;
drop function public.on_order(), public.send(text), public.send_for_others(text),
              public.send_as_user(text);
drop schema sy_who cascade;
do $$
declare v_role text; begin
    for v_role in select rolname from pg_roles where starts_with(rolname, 'sy_who_') loop
        execute format('drop owned by %I', v_role);
        execute format('drop role %I', v_role);
    end loop;
end $$;
select * from finish();
