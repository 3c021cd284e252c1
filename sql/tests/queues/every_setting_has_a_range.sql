-- create_queue, configure_queue: every setting has a range, its ends are allowed, and the error names it.
select plan(98);

create temporary table setting (name text, least text, most text, too_little text, too_much text);
insert into setting values
    ('max_attempts', '1', '1000', '0', '1001'),
    ('retry_delay', '0 s', '1 year', '-1 ms', '366 days'),
    ('retry_multiplier', '1', '100', '0.99', 'NaN'),
    ('retry_max_delay', '0 s', '1 year', '-1 ms', '366 days'),
    ('retry_jitter', '0', '1', '-0.01', 'NaN'),
    ('lease', '100 ms', '1 day', '99 ms', '25 hours'),
    ('retention', '0 s', '100 years', '-1 s', '101 years'),
    ('max_body_bytes', '1', '268435455', '0', '268435456'),
    ('idempotency_window', '1 us', '100 years', '0 s', '101 years'),
    ('failed_retention', '0 s', '100 years', '-1 s', '101 years'),
    ('max_snooze', '0 s', '100 years', '-1 s', '101 years'),
    ('key_concurrency', '0', '10000', '-1', '10001'),
    ('concurrency', '0', '100000', '-1', '100001'),
    ('on_failure', 'continue', 'hold', '', 'never'),
    ('rate', '1/360 days', '1000000/s', '0/1 s', '1000001/1 s'),
    ('burst', '0', '1000000', '-1', '1000001'),
    ('key_rate', '1/360 days', '1000000/1 s', '1/361 days', '1000/0.9 ms');
select bag_eq(
    $$select name from setting union all select 'ordered'    -- it is true or false$$,
    $$select unnest(proargnames[2:]) from pg_proc where oid = 'symphony.create_queue'::regproc$$,
    'no setting is left out here'
);

select symphony.create_queue('q');
select lives_ok(
    format('select symphony.configure_queue(%L, %I => %L)', 'q', name, least),
    name || ' may be ' || least
)
from setting;
select lives_ok(
    format('select symphony.configure_queue(%L, %I => %L)', 'q', name, most),
    name || ' may be ' || most
)
from setting;
select throws_ok(
    format('select symphony.configure_queue(%L, %I => %L)', 'q', name, too_little),
    '22023', null, name || ' may not be ' || too_little
)
from setting;
select throws_ok(
    format('select symphony.create_queue(%L, %I => %L)', 'new', name, too_much),
    '22023', null, name || ' may not be ' || too_much
)
from setting;
select alike(detail, '%' || name || '%', 'the detail names ' || name)
from setting, tap.error_of(format('select symphony.configure_queue(%L, %I => %L)', 'q', name, too_little));
-- A retry policy and a message have the same ranges, which _check_retry() holds.
create temporary table other (call text);
insert into other values
    ('select symphony.set_retry_policy(''B'', %I => %L)'),
    ('select symphony.enqueue(''B'', retry => jsonb_build_object(%L, %L))');
select set_eq(
    $$select name, call, place, code
      from setting, other,
           unnest(array[least, most, too_little, too_much]) with ordinality as given (value, place),
           tap.error_of(format(call, replace(name, 'retry_', ''), value))
      where name ~ '^(retry_|max_attempts)'$$,
    $$select name, call, place, case when place > 2 then '22023' end
      from setting, other, generate_series(1, 4) as place
      where name ~ '^(retry_|max_attempts)'$$,
    'a retry policy and a message take what a queue takes, and refuse what it refuses'
);
select results_eq(
    $$select queue_name,
             num_nulls(max_attempts, retry_delay, retry_multiplier, retry_max_delay, retry_jitter), lease,
             retention, max_body_bytes, idempotency_window
      from symphony.queue where queue_name <> 'q'$$,
    $$values ('default', 5, '30 s'::interval, '1 day'::interval, 1048576, '1 day'::interval)$$,
    'a refused queue was not created, and another one still has the defaults'
);
select results_eq(
    $$select * from symphony._retry_rule('A', 'default', null)$$,
    $$values (4, '1 s'::interval, 2::float8, '30 s'::interval, 0.1::float8)$$,
    'the defaults of retries come from the policy *'
);
select throws_ok(
    $$select symphony.configure_queue('q', max_attempts => 7, lease => '0 s')$$,
    '22023', null, 'one wrong setting of two is refused'
);
select is(
    (select max_attempts from symphony.queue where queue_name = 'q'),
    1000, 'the other setting is not changed'
);

-- A setting counts from now on, also for messages that are there already.
select symphony.configure_queue('q', max_attempts => 1, lease => '7 s');
select symphony.enqueue('A', queue_name => 'q');
select symphony.configure_queue('q', max_attempts => 3);
create temporary table c as select * from symphony.claim_batch('{q}');
select is((select max_attempts from c), 3, 'the attempts of a message are those of the queue at its claim');
select is(
    (select lease_until - claimed_at from symphony.claim where claim_id = (select claim_id from c)),
    '7 s'::interval, 'a lease lasts as the queue says'
);
select symphony.enqueue('A', queue_name => 'q');
create temporary table d as select * from symphony.claim_batch('{q}', lease => '2 s');
select is(
    (select lease_until - claimed_at from symphony.claim where claim_id = (select claim_id from d)),
    '2 s'::interval, 'a lease lasts as the worker says'
);

select is(
    array[symphony.create_queue('a/b.c:d_e-F9'), symphony.create_queue(repeat('x', 48))],
    '{t,t}', 'a name has up to 48 letters, digits and _ . : / -'
);
select throws_ok(
    format('select symphony.create_queue(%L)', name),
    '22023', null, format('%L is not a name', name)
)
from unnest(array['', 'ü', e'a\nb']) as name;
select * from finish();
