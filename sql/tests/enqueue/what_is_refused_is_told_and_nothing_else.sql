-- _is_message and _refuse_message tell the same rules: all of them are walked through, alone and together.
begin;   -- in one transaction, that is at one time, however long it takes
select plan(9);

-- Values of each argument, to both sides of each limit.  A long body is compressed in this table.
create temporary table given (name text, value text, is_good boolean);
insert into given values
    ('message_type', 'A', true), ('message_type', repeat('ü', 200), true),
    ('message_type', null, false), ('message_type', '', false), ('message_type', repeat('x', 201), false),
    ('body', '{}', true), ('body', 'false', true), ('body', '"null"', true), ('body', 'null', false),
    ('body', null, false),
    ('headers', '{}', true), ('headers', '{"a": null}', true), ('headers', null, false),
    ('headers', 'null', false), ('headers', '[]', false), ('headers', '"{}"', false),
    ('delay', null, true), ('delay', '0', true), ('delay', '100 years', true), ('delay', '-1 us', false),
    ('delay', '100 years 1 us', false), ('delay', '-1000000 years', false),
    ('available_at', null, true), ('available_at', (now() - interval '30 s')::text, true),
    ('available_at', '294276-01-01 00:00+00', true), ('available_at', 'infinity', false),
    ('available_at', '-infinity', false), ('available_at', (now() - interval '1 hour')::text, false),
    ('idempotency_key', null, true), ('idempotency_key', repeat('ü', 256), true),
    ('idempotency_key', '', false), ('idempotency_key', repeat('x', 513), false);
select symphony.create_queue('q', max_body_bytes => 3000);
create temporary table long_body (body jsonb, is_good boolean);
insert into long_body
select to_jsonb(repeat('x', n)), pg_column_size(to_jsonb(repeat('x', n))) <= 3000
from generate_series(2980, 3000) as n;
insert into long_body values (to_jsonb(repeat('x', 700000)), false);
select results_eq(
    $$select is_good, count(*) > 0, bool_and(pg_column_size(body) < 3000)
      from long_body where pg_column_size(body #> '{}') in (3000, 3001) group by 1 order by 1$$,
    $$values (false, true, true), (true, true, true)$$,
    'there are bodies to both sides of the limit, and they are compressed'
);

create temporary table verdict (
    values text[], expected boolean, is_message boolean, code text, told boolean
);
create procedure pg_temp.ask(
    message_type text, body jsonb, headers jsonb, delay text, available_at text, key text, expected boolean
)
language plpgsql as $$
declare
    v_code   text;
    v_what   text;
    v_detail text;
    v_hint   text;
begin
    begin
        perform symphony._refuse_message(message_type, body, 'q', null, delay::interval,
                                         available_at::timestamptz, key, headers);
    exception when others then
        get stacked diagnostics v_code = returned_sqlstate, v_what = message_text,
                                v_detail = pg_exception_detail, v_hint = pg_exception_hint;
    end;
    insert into verdict values (
        array[message_type, left(body::text, 9), headers::text, delay, available_at, key],
        expected and num_nonnulls(delay, available_at) < 2,
        symphony._is_message(message_type, body, headers, 3000, delay::interval,
                             available_at::timestamptz, key),
        v_code, v_what <> '' and v_detail <> '' and v_hint <> '');
end $$;
do $$
declare
    v record;
begin
    for v in
        select t.value as message_type, b.body, h.value::jsonb as headers, d.value as delay,
               a.value as available_at, k.value as key,
               t.is_good and b.is_good and h.is_good and d.is_good and a.is_good and k.is_good as is_good
        from given as t, given as h, given as d, given as a, given as k,
             (select value::jsonb as body, is_good from given where name = 'body'
              union all select body, is_good from long_body
                        where pg_column_size(body #> '{}') in (3000, 3001) or length(body #>> '{}') > 3000)
             as b
        where t.name = 'message_type' and h.name = 'headers' and d.name = 'delay'
          and a.name = 'available_at' and k.name = 'idempotency_key'
    loop
        call pg_temp.ask(v.message_type, v.body, v.headers, v.delay, v.available_at, v.key, v.is_good);
    end loop;
end $$;
select cmp_ok(count(*), '>', 30000::bigint, 'they are put together in every way') from verdict;
select is_empty(
    $$select values from verdict where is_message <> expected limit 5$$,
    '_is_message() is true of those that keep all rules, and of no other'
);
select is_empty(
    $$select values from verdict where expected <> (code is null) limit 5$$,
    '_refuse_message() refuses those that break a rule, and no other'
);
select is_empty(
    $$select values, code from verdict where not (code in ('22023', 'SY004') and told) limit 5$$,
    'and says what is wrong, in detail, and what to do'
);

-- As elements of a batch, with the rules that other functions hold: alone and in pairs.
create temporary table key (name text, value jsonb, is_good boolean);
insert into key select name, to_jsonb(value), is_good from given
where name in ('message_type', 'delay', 'available_at', 'idempotency_key');
insert into key select name, value::jsonb, is_good from given
where name in ('body', 'headers') and value is not null and (name, value) <> ('headers', 'null');
insert into key values
    ('body', (select body from long_body where not is_good limit 1), false),
    ('priority', '0', true), ('priority', '9', true), ('priority', '-1', false), ('priority', '10', false),
    ('priority', '"high"', false), ('queue_name', '"q"', true), ('queue_name', '"nope"', false),
    ('retry', 'null', true), ('retry', '{"max_attempts": 1}', true), ('retry', '[]', false),
    ('group_key', '"g"', true), ('group_key', 'null', true), ('retry', '{"max_attempts": 0}', false),
    ('retry', '{"tries": 1}', false), ('prio', '5', false),
    ('expires_in', '"1 s"', true), ('expires_in', '"100 years"', true), ('expires_in', '"0 s"', false),
    ('expires_at', '"294276-12-31"', true), ('expires_at', '"infinity"', false),
    ('on_expiry', '"fail"', true), ('on_expiry', '"drop"', true), ('on_expiry', '"hold"', false),
    ('on_duplicate', '"keep"', true), ('on_duplicate', '"replace"', true), ('on_duplicate', '"add"', false),
    ('idempotency_window', '"100 years"', true), ('idempotency_window', '"0 s"', false);
create function pg_temp.answer(element jsonb, out code text, out detail text, out hint text)
language sql as $$
    delete from symphony.idempotency_key;    -- a key in use stands for its first message, whatever comes
    select code, detail, hint
    from tap.error_of(format('select symphony.enqueue_batch(%L)', jsonb_build_array(element)))
$$;
select set_eq(
    $$select name from key where name <> 'prio'$$,
    $$select unnest(proargnames) from pg_proc where oid = 'symphony.enqueue'::regproc$$,
    'the keys of an element are the arguments of enqueue()'
);
create temporary table answer as
select element, is_good, error.*
from (
    select '{"message_type": "A", "queue_name": "q"}'::jsonb || jsonb_build_object(a.name, a.value)
           || jsonb_build_object(b.name, b.value) as element,
           a.is_good and b.is_good and not (
               a.name in ('delay', 'available_at') and b.name in ('delay', 'available_at')
               and a.name <> b.name and 'null' not in (a.value, b.value))
           and (a.name, b.name) <> ('expires_at', 'expires_in')
           and (a.value, b.value) is distinct from ('"294276-01-01 00:00+00"', '"100 years"')
           and (array[a.name, b.name] && '{expires_at,expires_in}' or 'on_expiry' not in (a.name, b.name))
           and (not array[a.name, b.name] && '{on_duplicate,idempotency_window}'
                or a.name = 'idempotency_key' and a.value is not null and a.name <> b.name) as is_good
    from key as a, key as b
    where a.name < b.name or a = b
) as pair,
pg_temp.answer(pair.element) as error;
select cmp_ok(count(*), '>', 600::bigint, 'elements are put together, too') from answer;
select is_empty(
    $$select element, code from answer
      where code is distinct from case when not is_good then 'SY005' end limit 5$$,
    'enqueue_batch() takes those that keep all rules, and refuses the others as SY005'
);
select is_empty(
    $$select element from answer
      where code is not null and '' in (coalesce(detail, ''), coalesce(hint, ''))$$,
    'with a detail and a hint'
);
select * from finish();
commit;
