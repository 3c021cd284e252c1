-- Every function as every access and as nobody, with and without queues.  The functions are those of
-- the catalog, so a new one is tried, too: it is called with nulls, and who may not call it hears 42501.
-- What has to do with queues is then called for a queue that is granted, one that is not, and none.
select plan(20);
\ir _access_matrix.sql

-- What became of a statement that a role runs: the SQLSTATE, or the first value.  It is undone.
create function pg_temp.outcome(role_name text, statement text, effect text default null,
                                out code text, out value text, out texts text)
language plpgsql as $$
declare v_detail text; v_hint text; begin
    begin
        perform set_config('role', role_name, true);
        if statement like 'call %' then execute statement; else execute statement into value; end if;
        perform set_config('role', 'none', true);
        if effect is not null then execute effect into value; end if;
        raise sqlstate 'TRIED';
    exception
        when sqlstate 'TRIED' then code := 'done';
        when others then
            get stacked diagnostics v_detail = pg_exception_detail, v_hint = pg_exception_hint;
            code := sqlstate;
            texts := concat_ws(' ', sqlerrm, v_detail, v_hint);
    end;
end $$;

insert into outcome (way, n, code, value, texts)
select 'SET ROLE', n, o.code, o.value, coalesce(o.texts, '')
from trial cross join lateral pg_temp.outcome(role_name, statement, effect) as o;
select is_empty($$select * from unexpected$$, 'each call ends as the list of trials says');

-- The first wall: EXECUTE.
create temporary table tried as
select t.role_name, t.access, t.queues, t.function_name, t.is_granted, o.code, o.texts,
       has_function_privilege(t.role_name, p.oid, 'execute') as may_execute
from trial as t
join outcome as o using (n)
join pg_proc as p on p.pronamespace = 'symphony'::regnamespace and p.proname = t.function_name
where t.queue_name is null;

select cmp_ok((select count(*) from tried), '>', 600::bigint, 'all were tried');
select is_empty(
    $$select role_name, function_name, code from tried where may_execute <> is_granted$$,
    'each access may execute what is listed for it, and no more'
);
select is_empty(
    $$select role_name, function_name, code, texts from tried
      where (code = '42501' and texts ~ '^permission denied for (schema|function|procedure)') = is_granted$$,
    'whoever may not, is told so, and whoever may, is not'
);
select is_empty(
    $$select role_name, function_name, code, texts from tried
      where is_granted and code !~ '^(done|22...|SY...|55000|42704|42501|2D000)$'$$,
    'whoever may call it with nulls hears nothing but errors of ours'
);
select is_empty(
    $$select p.oid::regprocedure from pg_proc as p cross join who
      where p.pronamespace = 'symphony'::regnamespace and starts_with(p.proname, '_')
        and has_function_privilege(who.role_name, p.oid, 'execute')
        and not (p.proname = '_limited' and who.queues is not null)$$,
    'nobody may call what is private'
);
select is_empty(
    $$select c.oid::regclass, who.role_name from pg_class as c cross join who
      where c.relnamespace = 'symphony'::regnamespace
        and (c.relkind = 'r' and has_table_privilege(who.role_name, c.oid,
                                    'select, insert, update, delete, truncate, references, trigger')
             or c.relkind = 'v' and has_table_privilege(who.role_name, c.oid, 'select')
                 <> (who.access is not null and who.access in ('operator', 'observer')))$$,
    'nobody may use a table, and operators and observers alone a view'
);

-- The second wall: the list of queues.
select is_empty(
    $$select function_name from symphony._access_list() where by_queue
      except select function_name from call
      except select unnest('{tick,purge,tick_schedules,origin,version,cron_next,cron_upcoming,
                            clock_changes}'::text[])$$,
    'every function that is granted by queue is called for several, or has to do with none'
);
create temporary table answer as
select role_name, access, queues, function_name, call as statement, refused, queue_name, code, value,
       nullif(texts, '') as texts, became
from trial join outcome using (n)
where queue_name is not null;
select is_empty(
    $$select role_name, queue_name, statement, became, texts from answer
      where queues is not null and queue_name <> 'mail' and became <> refused$$,
    'no limited role reaches another queue, and it hears the same of one that does not exist'
);
select is_empty(
    $$select a.role_name, a.statement, a.became as limited, b.became as unlimited, a.texts
      from answer as a join answer as b using (access, function_name, statement, queue_name)
      where a.queues is not null and b.queues is null and queue_name = 'mail'
        and a.became <> b.became and a.function_name <> 'sync_handlers'$$,
    'in its own queue a limited role may do what any other may'
);
select is_empty(
    $$select role_name, queue_name, statement, became, texts from answer
      where queues is null and queue_name = 'sms'
        and became not in ('done', '22023', 'SY005') and function_name <> 'waiting_types'$$,
    'a role without limits reaches every queue'
);
select is_empty(
    $$select a.role_name, a.statement, a.texts, b.texts
      from answer as a join answer as b using (role_name, statement)
      where a.queues is not null and a.queue_name = 'sms' and b.queue_name = 'nope'
        and regexp_replace(replace(a.texts, 'sms', 'nope'), '\d+', '', 'g')
            is distinct from regexp_replace(b.texts, '\d+', '', 'g')$$,
    'word by word the same is said of a queue that exists and one that does not'
);
select is_empty(
    $$select role_name, queue_name, statement, texts from answer
      where texts ~ 'sms|default' and queue_name <> 'sms' and (queues is not null or access <> 'consumer')$$,
    'no error names a queue to whom may not list it'
);
select isnt_empty(
    $$select from answer where access = 'consumer' and queues is null and texts ~ 'mail, sms'$$,
    'who may list the queues is helped by their names'
);

select is(
    (pg_temp.outcome(role_name, $$select symphony.enqueue('A')$$)).texts
        ~ ('permission.*"A".*routed.*' || role_name),
    true, role_name || ' is told that a type is routed elsewhere, and not where to'
)
from who where queues is not null and access <> 'consumer';

-- A role with several accesses: each function goes by those that include it.
create role sy_matrix_two;
select symphony.grant_access('sy_matrix_two', 'producer', '{mail}'),
       symphony.grant_access('sy_matrix_two', 'consumer');
select results_eq(
    $$select (pg_temp.outcome('sy_matrix_two', statement)).code
      from (values (1, $s$select symphony.enqueue('A', queue_name => 'sms')$s$),
                   (2, $s$select symphony.claim_batch('{sms}')$s$),
                   (3, pg_temp.filled('select symphony.cancel({pending})', 'sms')),
                   (4, $s$select symphony.sync_handlers('New', '{a,b}')$s$)) as s (n, statement) order by n$$,
    array['42501', 'done', 'SY003', 'done'],
    'a limit to one access is none to another'
);
select symphony.drop_queue('mail', force => true), symphony.create_queue('mail');
select is(
    (pg_temp.outcome('sy_matrix_two', $$select symphony.enqueue('A', queue_name => 'mail')$$)).code, '42501',
    'a queue that is dropped takes its grants along, and leaves the role with none'
);
select symphony.grant_access('sy_matrix_two', 'producer');
select is(
    (pg_temp.outcome('sy_matrix_two', $$select symphony.enqueue('A', queue_name => 'sms')$$)).code, 'done',
    'a later grant takes the place of an earlier one'
);

-- The matrix, for people.
select diag(text) from matrix order by line;

call pg_temp.leave();
select is(symphony._has_limits(), false, 'without a limited grant nothing is looked up');
select * from finish();
