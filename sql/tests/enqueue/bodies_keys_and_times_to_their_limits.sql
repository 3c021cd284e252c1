-- enqueue: bodies, keys and times up to their limits are taken, and nothing about them changes.
select plan(26);

create temporary table body (n integer generated always as identity, body jsonb);
insert into body (body) values
    ('{}'), ('[]'), ('""'), ('"text"'), ('0'), ('-0.0'), ('true'), ('false'), ('[null]'), ('{"": ""}'),
    ('1e400'),
    ('123456789012345678901234567890.000000000000000000000000000001'),
    ('"\ud83d\ude00 \u00e9 \"\\ \n\t"'),
    (to_jsonb(repeat('x', 1000000))),
    ((repeat('[', 1000) || repeat(']', 1000))::jsonb);
create temporary table sent as select symphony.enqueue('A', body) as message_id, body from body order by n;
select is_empty(
    $$select message_id
      from (select * from symphony.claim_batch(batch_size => 100)) as got full join sent using (message_id)
      where got.body::text is distinct from sent.body::text$$,
    'any JSON but null comes out as it went in, digit for digit'
);
select throws_ok(
    $$select symphony.enqueue('A', '"\u0000"')$$,
    '22P05', null, 'PostgreSQL refuses the one character that jsonb does not hold'
);

-- Types and keys.
select lives_ok($$select symphony.enqueue(repeat('é', 200))$$, 'a type may have 200 characters');
select lives_ok(
    $$select symphony.enqueue('A', idempotency_key => repeat('é', 256))$$,
    'an idempotency key may have 512 bytes'
);
select throws_ok(
    $$select symphony.enqueue('A', idempotency_key => repeat('é', 256) || 'x')$$,
    '22023', null, 'bytes are counted, not characters'
);
select lives_ok(
    $$select symphony.enqueue('A', group_key => repeat('x', 10000),
                              headers => jsonb_build_object('h', repeat('x', 10000)))$$,
    'group keys and headers may be long'
);

-- The size of a body is what PostgreSQL stores, before it compresses.
select symphony.create_queue('small', max_body_bytes => pg_column_size('"0123456789"'::jsonb));
select lives_ok(
    $$select symphony.enqueue('A', '"0123456789"', 'small')$$,
    'a body of just the largest size is taken'
);
select throws_ok(
    $$select symphony.enqueue('A', '"0123456789abcdef"', 'small')$$,
    'SY004', null, 'a larger body is refused'
);
select throws_ok(
    $$select symphony.enqueue('A', '"0123456789abcdef"', 'small', delay => '1 s')$$,
    'SY004', null, 'a larger body is refused when it is delayed, too'
);

-- A body that comes from a column is compressed there, 2 MB in 23 kB.  It is measured as it was before.
create temporary table compressed as
select 'A' as message_type, jsonb_build_object('text', repeat('x', 2000000)) as body;
select cmp_ok(pg_column_size(body), '<', 32768, 'a body of 2 MB is stored in few bytes') from compressed;
select throws_ok(
    'select symphony.enqueue(message_type, body) from compressed',
    'SY004', null, 'it is too large however small it is stored'
);
select throws_ok(
    $$select symphony.enqueue('A', body, delay => '1 s') from compressed$$,
    'SY004', null, 'it is too large when it is delayed, too'
);
select throws_ok(
    'select symphony.enqueue_batch(jsonb_agg(to_jsonb(c))) from compressed as c',
    'SY005', null, 'it is too large in a batch'
);
select throws_ok(
    $$select symphony.enqueue('A', body, 'small') from compressed$$,
    'SY004', null, 'it is too large where the limit is small'
);
select lives_ok(
    $$select symphony.create_queue('large', max_body_bytes => pg_column_size(body #> '{}')),
             symphony.enqueue('A', body, 'large')
      from compressed$$,
    'a queue that takes just as much takes it'
);
select throws_ok(
    $$select symphony.configure_queue('large', max_body_bytes => pg_column_size(body #> '{}') - 1),
             symphony.enqueue('A', body, 'large')
      from compressed$$,
    'SY004', null, 'a queue that takes a byte less does not take it'
);

-- Times.
create function pg_temp.enqueue(delay interval, available_at timestamptz) returns text language plpgsql as $$
declare v_id bigint := symphony.enqueue('A', delay => delay, available_at => available_at);
begin return (select status from symphony.message_status(v_id)); end $$;
select is(pg_temp.enqueue('100 years', null), 'delayed', 'a delay of a hundred years is taken');
select is(pg_temp.enqueue('1 microsecond', null), 'delayed', 'a delay of the shortest time is taken');
select is(pg_temp.enqueue('0', null), 'pending', 'a message with a delay of nothing is pending at once');
select is(
    pg_temp.enqueue(null, '294276-12-31 23:59:59+00'),
    'delayed', 'the last moment of the calendar is taken'
);
select is(
    pg_temp.enqueue(null, now() - interval '59 s'),
    'pending', 'a time up to a minute ago is taken, since clocks differ'
);
select throws_ok(
    $$select symphony.enqueue('A', available_at => now() - interval '61 s')$$,
    '22023', null, 'an earlier time is refused'
);

-- An idempotency key stands for a message as long as it lasts.
create temporary table first as select symphony.enqueue('A', idempotency_key => 'k', delay => '1 hour') as id;
select is(
    symphony.enqueue('B', '{"other": true}', idempotency_key => 'k'),
    id, 'a second message is the first, whatever else it says'
)
from first;
select is(
    (select status from symphony.message_status(id)),
    'delayed', 'the first message stays as it was'
)
from first;
select throws_ok(
    $$select symphony.enqueue('', idempotency_key => 'new')$$,
    '22023', null, 'a message of an empty type is refused'
);
select is_empty(
    $$select from symphony.idempotency_key where key = 'new'$$,
    'a refused message does not take its key'
);
select * from finish();
