-- grant_access, revoke_access: each kind of access is just the functions whose contracts name it.
-- When it is revoked, nothing of it is left.
begin;
select plan(11);

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
select is(pg_temp.may(), '{}', 'at first a role may do nothing');
select is(
    pg_temp.after_grant(kind),
    pg_temp.documented(kind), kind || ' may call what is documented, and no more'
)
from unnest('{producer,consumer,operator,observer}'::text[]) as kind;
select is(pg_temp.may(), '{}', 'after the last is revoked it may do nothing');
select is(has_schema_privilege('sy_each', 'symphony', 'usage'), false, 'not even look into the schema');
select is_empty($$select from symphony.access$$, 'and nothing is noted');

-- The functions a role may call call others that it may not.
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
    'all of it'
);
select throws_ok($$select symphony._now()$$, '42501', null, 'but nothing private');
select * from finish();
rollback;
