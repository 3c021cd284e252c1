-- grant_access, revoke_access: each kind of access is just the functions whose contracts name it.
-- When it is revoked, nothing of it is left.
begin;
select plan(12);

create role sy_each;
create function pg_temp.may() returns text[] language sql as $$
    select coalesce(array_agg(proname::text order by proname), '{}')
    from pg_proc
    where pronamespace = 'symphony'::regnamespace and has_function_privilege('sy_each', oid, 'execute')
$$;
-- What the last line of each function's comment says.
create function pg_temp.documented(kind text) returns text[] language sql as $$
    select array_agg(proname::text order by proname)
    from pg_proc where pronamespace = 'symphony'::regnamespace
        and obj_description(oid, 'pg_proc') ~ ('\nAccess [^\n]*\m' || kind || '\M')
$$;
create function pg_temp.after_grant(kind text) returns text[] language plpgsql as $$
declare v text[]; begin
    perform symphony.grant_access('sy_each', kind);
    perform symphony.grant_access('sy_each', kind);
    v := pg_temp.may();
    perform symphony.revoke_access('sy_each', kind);
    return v;
end $$;
select is(pg_temp.may(), '{}', 'a role may do nothing at first');
select is(
    pg_temp.after_grant(kind),
    pg_temp.documented(kind), kind || ' may call what is documented, and no more'
)
from unnest('{enqueuer,producer,consumer,operator,observer}'::text[]) as kind;
select is(pg_temp.may(), '{}', 'a role may do nothing after the last access is revoked');
select is(
    has_schema_privilege('sy_each', 'symphony', 'usage'),
    false, 'a role may not even look into the schema then'
);
select is_empty($$select from symphony.access$$, 'no access is noted then');

-- A function that a role may call calls others that the role may not.
select symphony.grant_access('sy_each', kind) from unnest('{producer,consumer}'::text[]) as kind;
grant usage on schema tap to sy_each;
set local role sy_each;
select lives_ok(
    $$select symphony.enqueue('A', idempotency_key => 'k', priority => 9),
             symphony.enqueue('A', delay => '1 s'), symphony.tick(), symphony.heartbeat('w', '{default}'),
             symphony.idle('w', '{default}'), symphony.busy('w'), symphony.stop_worker('w'),
             symphony.cancel(2), symphony.version()$$,
    'a role with two kinds of access can do its work'
);
select lives_ok(
    $$select symphony.claim_batch(), symphony.extend_lease('{1}'), symphony.why_not_running(1),
             symphony.message_status(1)$$,
    'a role with two kinds of access can do all of its work'
);
select throws_ok($$select symphony._now()$$, '42501', null, 'a role cannot call what is private');
select * from finish();
rollback;
