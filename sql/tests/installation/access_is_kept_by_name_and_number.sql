-- Access is granted again to roles that are the ones it was granted to, by name and by number.  What
-- waits is listed, and is granted or removed when somebody says so.
select plan(31);

create function pg_temp.code_as(role_name text, statement text) returns text language plpgsql as $$
declare v_code text; begin
    perform set_config('role', role_name, true);
    v_code := (tap.error_of(statement)).code;
    perform set_config('role', 'none', true);
    return coalesce(v_code, 'done');
end $$;
create function pg_temp.state_of(role text) returns text language sql as $$
    select string_agg(distinct state, ', ') from symphony.list_access() where role_name = state_of.role
$$;
create function pg_temp.sends(role text, queue text default 'mail') returns text language sql as $$
    select pg_temp.code_as(role, format($s$select symphony.enqueue('A', queue_name => %L)$s$, queue))
$$;
grant usage on schema tap to public;
select symphony.create_queue(name) from unnest('{mail,sms}'::text[]) as name;

-- A role that is dropped, and a stranger who is given its name.
create role sy_kept_a;
select symphony.grant_access('sy_kept_a', 'producer');
select is(pg_temp.state_of('sy_kept_a'), 'granted', 'what was granted is listed so');
drop owned by sy_kept_a;
drop role sy_kept_a;
select is(pg_temp.state_of('sy_kept_a'), 'waits: the role is gone', 'a role that is gone is told');
\ir ../../access.sql
create role sy_kept_a;
select is(pg_temp.state_of('sy_kept_a'), 'waits: another role has this name now', 'so is a namesake');
\ir ../../access.sql
select is(pg_temp.sends('sy_kept_a'), '42501', 'a namesake gets nothing by an upgrade');
select results_eq(
    'select role_name, access, queues, state from symphony.restore_access()',
    $$values ('sy_kept_a', 'producer', null::text[], 'granted')$$, 'it does when somebody says so'
);
select is(pg_temp.sends('sy_kept_a'), 'done', 'and then it may');
select is_empty('select * from symphony.restore_access()', 'nothing is left to do then');

-- A limit stays a limit, whatever becomes of the role.
create role sy_kept_b;
select symphony.grant_access('sy_kept_b', 'enqueuer', '{mail}');
alter role sy_kept_b rename to sy_kept_c;
select is(pg_temp.sends('sy_kept_c'), 'done', 'a role that is renamed may go on');
select is(pg_temp.sends('sy_kept_c', 'sms'), '42501', 'within its limit');
select is(pg_temp.state_of('sy_kept_b'), 'waits: the role is called "sy_kept_c" now', 'a new name is told');
create role sy_kept_b;
select is(pg_temp.sends('sy_kept_b'), '42501', 'whoever gets the old name gets nothing');
drop role sy_kept_b;
select results_eq('select role_name, state from symphony.restore_access()',
    $$values ('sy_kept_b', 'granted')$$, 'a role that is renamed is taken over by its new name');
select is(pg_temp.state_of('sy_kept_c'), 'granted', 'under which it is listed');
select is(pg_temp.state_of('sy_kept_b'), null, 'and no more under the old one');
alter role sy_kept_c rename to sy_kept_d;
select symphony.grant_access('sy_kept_d', 'enqueuer', '{sms}');
select is(pg_temp.sends('sy_kept_d'), '42501', 'a grant under the new name takes the place of the old one');
select is((select count(*) from symphony.access where role_name in ('sy_kept_c', 'sy_kept_d')), 1::bigint,
    'of which nothing is left');
alter role sy_kept_d rename to sy_kept_e;
select symphony.revoke_access('sy_kept_e', 'enqueuer');
select is(pg_temp.sends('sy_kept_e', 'sms'), '42501', 'what is revoked under the new name is gone');
select is(pg_temp.state_of('sy_kept_d'), null, 'under all names');

-- A copy from another server: a dump brings rows and, with them, grants by name.
create role sy_kept_f;
create role sy_kept_g;
select symphony.grant_access('sy_kept_f', 'enqueuer', '{mail}'),
       symphony.grant_access('sy_kept_g', 'producer');
begin;
-- There f had the number that g has here.
update symphony.access set role_oid = 'sy_kept_g'::regrole where role_name = 'sy_kept_f';
delete from symphony.server_mark;
insert into symphony.server_mark values (1), (2);
commit;
select is(pg_temp.state_of('sy_kept_f'), 'waits: it was copied here from another server', 'a copy is told');
select is(pg_temp.sends('sy_kept_f', 'sms'), '42501',
    'whose role was limited is refused what it was not granted');
select is(pg_temp.sends('sy_kept_f'), '42501', 'and what it was, until that is restored');
select is(pg_temp.sends('sy_kept_g', 'sms'), 'done', 'a role without limits is in no need of the list');
\ir ../../access.sql
select is(pg_temp.sends('sy_kept_f'), '42501', 'an upgrade restores nothing');
select symphony.tick(), symphony.rebase();
select is((select count(*) from symphony.access where role_oid is not null), 0::bigint,
    'rebase forgets the numbers of the other server');
select is((select count(*) from symphony.list_access() where state = 'granted'), 0::bigint, 'so all waits');
select symphony.restore_access();
select is(pg_temp.sends('sy_kept_f') || pg_temp.sends('sy_kept_f', 'sms'), 'done42501',
    'restored by name it may what it might');
select is(pg_temp.sends('sy_kept_g', 'sms'), 'done', 'so may the others');

-- What waits can be removed, too.
drop owned by sy_kept_f;
drop role sy_kept_f;
select lives_ok($$select symphony.revoke_access('sy_kept_f', 'enqueuer')$$, 'a role that is gone is revoked');
select is(pg_temp.state_of('sy_kept_f'), null, 'and not listed then');
select throws_ok($$select symphony.revoke_access('sy_kept_f', 'enqueuer')$$, '42704', null,
    'twice it is unknown');
select is(symphony._has_limits(), false, 'the last limit went with it');

do $$
declare v_role text; begin
    for v_role in select rolname from pg_roles where starts_with(rolname, 'sy_kept_') loop
        execute format('drop owned by %I', v_role);
        execute format('drop role %I', v_role);
    end loop;
end $$;
select * from finish();
