-- Every function as every access and as nobody, with and without queues.  The functions are those of
-- the catalog, so a new one is tried, too: it is called with nulls, and who may not call it hears 42501.
-- What has to do with queues is then called for a queue that is granted, one that is not, and none.
select plan(19);

create temporary table who (role_name text, access text, queues text[]);
insert into who
select 'sy_matrix_' || coalesce(access, 'nobody'), access, null::text[]
from unnest('{null,enqueuer,producer,consumer,operator,observer}'::text[]) as access
union all
select 'sy_matrix_' || access || '_of_mail', access, '{mail}'
from unnest('{enqueuer,producer,consumer}'::text[]) as access;
do $$
declare v_role text; begin
    for v_role in select role_name from who loop execute format('create role %I', v_role); end loop;
end $$;
select symphony.create_queue(name) from unnest('{mail,sms}'::text[]) as name;
select symphony.grant_access(role_name, access, queues) from who where access is not null;

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

-- The first wall: EXECUTE.
create temporary table tried as
select w.*, p.proname::text as function_name, o.code, coalesce(o.texts, '') as texts,
       has_function_privilege(w.role_name, p.oid, 'execute') as may_execute,
       exists (select from symphony._access_list() as l
               where l.function_name = p.proname and l.access = w.access
                 and (w.queues is null or l.by_queue)) as is_granted
from who as w
cross join pg_proc as p
cross join lateral pg_temp.outcome(w.role_name, format(
    case when p.prokind = 'p' then 'call %s(%s)' else 'select from %s(%s)' end,
    p.oid::regproc, (select string_agg('null::' || format_type(t, null), ', ')
                     from unnest(p.proargtypes) as t)
)) as o
where p.pronamespace = 'symphony'::regnamespace and not starts_with(p.proname, '_');

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

-- The second wall: the list of queues.  What stands for {…} is of the queue that is asked for.
create temporary table thing (queue_name text, pending bigint, claimed bigint, claim bigint, worker text);
insert into thing values ('nope', 999999, 999998, 99999999, 'nobody');
insert into thing (queue_name, worker) values ('mail', 'of mail'), ('sms', 'of sms');
update thing set claimed = symphony.enqueue('Claimed', queue_name => queue_name)
where queue_name <> 'nope';
update thing set claim = (select claim_id from symphony.claim_batch(
    array[thing.queue_name], worker => 'of ' || thing.queue_name))
where queue_name <> 'nope';
update thing set pending = symphony.enqueue('Pending', queue_name => queue_name)
where queue_name <> 'nope';
select symphony.heartbeat(worker, array[queue_name]), symphony.idle(worker, array[queue_name])
from thing where queue_name <> 'nope';
create function pg_temp.filled(text_with text, queue text) returns text language sql as $$
    select replace(replace(replace(replace(replace(filled.text_with, '{queue}', quote_literal(queue_name)),
        '{pending}', pending::text), '{claimed}', claimed::text), '{claim}', claim::text),
        '{worker}', quote_literal(worker))
    from thing where queue_name = filled.queue
$$;

-- refused: how it is for a queue that the role was not granted.  nothing: as if there were none.
create temporary table call (function_name text, statement text, refused text, effect text);
insert into call values
    ('enqueue', $$select symphony.enqueue('A', queue_name => {queue})$$, '42501', null),
    ('enqueue', $$select symphony.enqueue('A', queue_name => {queue}, idempotency_key => 'k')$$,
        '42501', null),
    ('enqueue', $$select symphony.enqueue('A', queue_name => {queue}, delay => '1 s', priority => 9)$$,
        '42501', null),
    ('enqueue', $$select symphony.enqueue('', queue_name => {queue})$$, '42501', null),
    ('enqueue_batch', $$select symphony.enqueue_batch(jsonb_build_array(
        jsonb_build_object('message_type', 'A', 'queue_name', {queue})))$$, '42501', null),
    ('enqueue_batch', $$select symphony.enqueue_batch(jsonb_build_array(
        jsonb_build_object('message_type', 'A', 'queue_name', {queue}, 'idempotency_key', 'k'),
        jsonb_build_object('prio', 1, 'queue_name', 'mail')))$$, '42501', null),
    ('enqueue_batch', $$select symphony.enqueue_batch(jsonb_build_array(
        jsonb_build_object('message_type', 'A', 'queue_name', {queue}, 'priority', 'high')))$$,
        '42501', null),
    ('cancel', $$select symphony.cancel({pending})$$, 'SY003', null),
    ('cancel', $$select symphony.cancel({claimed})$$, 'SY003', null),
    ('message_status', $$select status from symphony.message_status({pending})$$, 'nothing', null),
    ('message_status', $$select status from symphony.message_status({claimed})$$, 'nothing', null),
    ('why_not_running', $$select nullif(symphony.why_not_running({pending}) ~ 'is not known', true)$$,
        'nothing', null),
    ('claim_batch', $$select message_id from symphony.claim_batch(array[{queue}])$$, '42501', null),
    ('claim_batch', $$select message_id from symphony.claim_batch(array['mail', {queue}], 0)$$,
        '42501', null),
    ('ack', $$select symphony.ack({claim})$$, 'SY010', null),
    ('ack', $$select symphony.ack({claim}, '{{claimed}}')$$, 'SY010', null),
    ('nack_with_backoff', $$select symphony.nack_with_backoff({claim}, {claimed}, 'x')$$, 'SY010', null),
    ('snooze', $$select symphony.snooze({claim}, {claimed}, '1 s')$$, 'SY010', null),
    ('release', $$select symphony.release({claim})$$, 'SY010', null),
    ('release_unheard', $$select nullif(symphony.release_unheard({worker}, 0), 0)$$, 'nothing', null),
    ('extend_lease', $$select symphony.extend_lease('{{claim}}')$$, 'nothing', null),
    ('heartbeat', $$select symphony.heartbeat('mine', array[{queue}]) is null$$, '42501', null),
    ('idle', $$select symphony.idle('mine', array[{queue}])$$, '42501', null),
    ('busy', $$select symphony.busy({worker})$$, 'nothing', $$select 'busy' where not exists (
        select from symphony.idle_worker as i where i.queue_name = {queue} and {worker} = any (i.workers)
        and i.idle_id = (select max(n.idle_id) from symphony.idle_worker as n where n.queue_name = {queue}))
        and exists (select from symphony.queue as q where q.queue_name = {queue})$$),
    ('stop_worker', $$select symphony.stop_worker({worker})$$, 'nothing', $$select 'gone'
        where not exists (select from symphony.worker as w where w.worker = {worker})
          and exists (select from symphony.queue as q where q.queue_name = {queue})$$),
    ('list_queues', $$select name from symphony.list_queues() as name where name = {queue}$$,
        'nothing', null),
    ('waiting_types', $$select messages from symphony.waiting_types(array[{queue}])$$, '42501', null),
    ('waiting_types', $$select messages from symphony.waiting_types()
        where message_type = 'Pending' and {queue} <> 'mail' and messages > 1$$, 'nothing', null),
    ('sync_handlers', $$select symphony.sync_handlers('New', '{a}')$$, '42501', null);
select is_empty(
    $$select function_name from symphony._access_list() where by_queue
      except select function_name from call
      except select unnest('{tick,purge,tick_schedules,version,cron_next,cron_upcoming,
                            clock_changes}'::text[])$$,
    'every function that is granted by queue is called for several, or has to do with none'
);
create temporary table answer as
select who.role_name, who.access, who.queues, c.function_name, c.statement, c.refused, thing.queue_name,
       o.code, o.value, o.texts,
       case when o.code = 'done' then case when o.value is null then 'nothing' else 'done' end
            else o.code end as became
from who
join symphony._access_list() as l on l.access = who.access
join call as c on c.function_name = l.function_name
cross join thing
cross join lateral pg_temp.outcome(
    who.role_name, pg_temp.filled(c.statement, thing.queue_name),
    pg_temp.filled(c.effect, thing.queue_name)) as o
where who.access in ('enqueuer', 'producer', 'consumer') and (who.queues is null or l.by_queue);
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
select diag(format('%-20s %s', 'function',
    string_agg(rpad(replace(role_name, 'sy_matrix_', ''), 17), '' order by ord)))
from (select role_name, row_number() over () as ord from who) as head;
select diag(format('%-20s %s', t.function_name, string_agg(rpad(case
    when not t.is_granted then t.code
    when t.queues is not null and a.function_name is not null then 'yes, else ' || a.refused
    when t.is_granted then 'yes' end, 17), '' order by w.ord)))
from tried as t
join (select role_name, row_number() over () as ord from who) as w using (role_name)
left join (select function_name, min(refused) as refused from call group by 1) as a using (function_name)
group by t.function_name order by t.function_name;

do $$
declare v_role text; begin
    for v_role in select role_name from who union all values ('sy_matrix_two') loop
        execute format('drop owned by %I', v_role);
        execute format('drop role %I', v_role);
    end loop;
end $$;
delete from symphony.access;
select symphony._note_limits();
select is(symphony._has_limits(), false, 'without a limited grant nothing is looked up');
select * from finish();
