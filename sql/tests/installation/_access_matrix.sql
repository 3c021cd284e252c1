-- What the access matrix tries, and what is to become of it, in temporary tables of a session.
-- the_access_matrix.sql tries it by SET ROLE, and python/tests/campaigns/test_access_matrix.py also
-- through the wrapper of a host and through PgBouncer.  So there is nothing of psql or pgTAP in here.
begin;
create temporary table who (
    ord integer generated always as identity, role_name text, access text, queues text[],
    width integer generated always as (case when queues is null then 6 else 8 end) stored
);
insert into who (role_name, access, queues)
select 'sy_matrix_' || coalesce(access, 'nobody'), access, null::text[]
from unnest('{null,enqueuer,producer,consumer,operator,observer}'::text[]) as access
union all
select 'sy_matrix_' || access || '_of_mail', access, '{mail,outbox/mail}'
from unnest('{enqueuer,producer,consumer}'::text[]) as access;
do $$
declare v_role text; begin
    for v_role in select role_name from who loop execute format('create role %I', v_role); end loop;
end $$;
select symphony.create_queue(name), symphony.create_transport(name, 'rabbitmq')
from unnest('{mail,sms}'::text[]) as name;
select symphony.grant_access(role_name, access, queues) from who where access is not null;

-- What stands for {…} in a call is of the queue that is asked for.
create temporary table thing (queue_name text, pending bigint, claimed bigint, claim bigint, worker text);
insert into thing values ('nope', 999999, 999998, 99999999, 'nobody');
insert into thing (queue_name, worker) values ('mail', 'of mail'), ('sms', 'of sms');
update thing set claimed = symphony.enqueue('Claimed', queue_name => queue_name)
where queue_name <> 'nope';
commit;
begin;
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
    ('enqueue', $$select symphony.enqueue('A', queue_name => {queue}, delay => '1 s', idempotency_key => 'k',
        on_duplicate => 'replace', expires_in => '1 h')$$, '42501', null),
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
    ('first_receipt', $$select symphony.first_receipt({queue}, '1')$$, '42501', null),
    ('return_delivery', $$select outcome from symphony.return_delivery(
        {queue}, '1', 'A', '1', '{}', 1, 'x')$$, '42501', null),
    ('return_delivery', $$select outcome from symphony.return_delivery(
        {queue}, '2', 'A', '1', '{}', 1, 'x', {claimed})$$, '42501', null),
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

-- The first wall, EXECUTE: every function of the catalog, with nulls, by every role.
create temporary table trial (n integer generated always as identity, role_name text, access text,
    queues text[], function_name text, call text, queue_name text, statement text, effect text,
    refused text, is_granted boolean, expected text);
insert into trial (role_name, access, queues, function_name, statement, is_granted, expected)
select w.role_name, w.access, w.queues, p.proname,
       format(case when p.prokind = 'p' then 'call %s(%s)' else 'select from %s(%s)' end,
              p.oid::regproc, (select string_agg('null::' || format_type(t, null), ', ')
                               from unnest(p.proargtypes) as t)),
       g.is_granted,
       case when g.is_granted then '^(nothing|22...|SY...|55000|42704|42501|2D000)$' else '^no EXECUTE$' end
from who as w
cross join pg_proc as p
cross join lateral (select exists (
    select from symphony._access_list() as l
    where l.function_name = p.proname and l.access = w.access and (w.queues is null or l.by_queue)
)) as g (is_granted)
where p.pronamespace = 'symphony'::regnamespace and not starts_with(p.proname, '_')
order by p.proname, w.ord;

-- The second wall, the list of queues: each call for a queue that is granted, one that is not, and none.
insert into trial (role_name, access, queues, function_name, call, queue_name, statement, effect, refused,
                   expected)
select who.role_name, who.access, who.queues, c.function_name, c.statement, thing.queue_name,
       pg_temp.filled(c.statement, thing.queue_name), pg_temp.filled(c.effect, thing.queue_name),
       c.refused,
       case when who.queues is not null and (thing.queue_name <> 'mail' or c.function_name = 'sync_handlers')
                then '^' || c.refused || '$'
            when thing.queue_name = 'sms' and c.function_name <> 'waiting_types'
                then '^(done|22023|SY005)$'
            else '^(done|nothing|22...|SY...)$' end
from who
join symphony._access_list() as l on l.access = who.access
join call as c on c.function_name = l.function_name
cross join thing
where who.access in ('enqueuer', 'producer', 'consumer') and (who.queues is null or l.by_queue)
order by c.statement, thing.queue_name, who.ord;

-- What became of a trial, one way or another: the SQLSTATE, or whether there was a value.
create temporary table outcome (way text, n integer, code text, value text, texts text not null,
    became text generated always as (case
        when code = '42501' and texts ~ '^permission denied for (schema|function|procedure)'
            then 'no EXECUTE'
        when code = 'done' and value is null then 'nothing'
        else code end) stored,
    primary key (way, n));
create view pg_temp.unexpected as
select way, n, role_name, queue_name, statement, expected, became, texts
from trial join outcome using (n)
where became !~ expected;

-- The matrix, for people, in 80 columns.
create view pg_temp.matrix as
with cell as (
    select way, t.function_name, who.ord, who.width, case
        when bool_or(became = 'no EXECUTE') then '42501'
        when who.queues is null or max(t.queue_name) is null then 'yes'
        else '+' || min(case became when 'nothing' then 'empty' else became end)
                    filter (where t.queue_name <> 'mail')
        end as text
    from outcome join trial as t using (n) join who using (role_name)
    group by way, t.function_name, who.ord, who.width, who.queues
)
select ways.way, h.line, rtrim(h.text) as text
from (select distinct way from outcome) as ways
cross join (
    values (1, 'yes: may.  42501: has no EXECUTE.  of_mail: granted for the queue mail only.'),
           (2, '+code: may for mail, and hears this for others.  +empty: as if there were none.')
    union all
    select 3, rpad('', 20) || string_agg(rpad(left(split_part(role_name, '_', 3), 5), width), '' order by ord)
    from who
    union all
    select 4, rpad('', 20) || string_agg(rpad(case when queues is null then '' else 'of_mail' end, width),
                                         '' order by ord)
    from who
) as h (line, text)
union all
select way, 4 + row_number() over (partition by way order by function_name),
       rtrim(rpad(function_name, 20) || string_agg(rpad(cell.text, width), '' order by ord))
from cell group by way, function_name;

-- Roles belong to the whole server.
create procedure pg_temp.leave() language plpgsql as $$
declare v_role text; begin
    for v_role in select rolname from pg_roles where starts_with(rolname, 'sy_matrix_') loop
        execute format('drop owned by %I', v_role);
        execute format('drop role %I', v_role);
    end loop;
    delete from symphony.access;
    perform symphony._note_limits();
end $$;
commit;
