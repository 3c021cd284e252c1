-- claim_batch: who wants to know how a claim works has few files to open.
-- A function of language sql is inlined, and not counted; one with a setting of its own is not.
select plan(2);

do $$
declare
    v_function regprocedure;
begin
    for v_function in
        select p.oid from pg_proc as p join pg_language as l on l.oid = p.prolang
        where p.pronamespace = 'symphony'::regnamespace and l.lanname = 'sql' and p.proconfig is null
    loop
        execute format('alter function %s set jit = off', v_function);
    end loop;
end;
$$;
select symphony.create_queue('plain');
select symphony.enqueue('A', queue_name => 'plain') from generate_series(1, 20);

begin;
set local track_functions = 'all';
select is(count(*), 10::bigint, 'ten messages are claimed') from symphony.claim_batch('{plain}');
set local track_functions = 'none';
create temporary table reached as
select f.funcname::text from pg_stat_xact_user_functions as f
where f.schemaname = 'symphony' and f.funcname <> 'claim_batch' order by f.funcname;
select diag(string_agg(funcname, ', ' order by funcname)) from reached;
select cmp_ok(count(*), '<=', 8::bigint, 'a plain claim reaches at most eight helpers') from reached;
commit;
select * from finish();
