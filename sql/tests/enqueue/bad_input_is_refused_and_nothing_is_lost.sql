-- enqueue: bad input is refused with a code of its own, and nothing is enqueued.
select plan(22);

select throws_ok(
    $$select symphony.enqueue('A', queue_name => 'nope')$$,
    'SY001', null, 'an unknown queue is refused'
);
select throws_ok($$select symphony.enqueue(null)$$, '22023', null, 'a message type that is null is refused');
select throws_ok($$select symphony.enqueue('')$$, '22023', null, 'an empty message type is refused');
select throws_ok(
    $$select symphony.enqueue(repeat('x', 201))$$,
    '22023', null, 'a message type that is too long is refused'
);
select throws_ok($$select symphony.enqueue('A', null)$$, '22023', null, 'a body that is null is refused');
select throws_ok(
    $$select symphony.enqueue('A', 'null')$$,
    '22023', null, 'a body that is JSON null is refused'
);
select throws_ok(
    $$select symphony.enqueue('A', headers => null)$$,
    '22023', null, 'headers that are null are refused'
);
select throws_ok(
    $$select symphony.enqueue('A', headers => '[]')$$,
    '22023', null, 'headers that are not an object are refused'
);
select throws_ok(
    $$select symphony.enqueue('A', priority => 10)$$,
    '22023', null, 'a priority above 9 is refused'
);
select throws_ok(
    $$select symphony.enqueue('A', priority => -1)$$,
    '22023', null, 'a priority below 0 is refused'
);
select throws_ok(
    $$select symphony.enqueue('A', delay => '-1 second')$$,
    '22023', null, 'a negative delay is refused'
);
select throws_ok(
    $$select symphony.enqueue('A', delay => '101 years')$$,
    '22023', null, 'a delay of more than a life is refused'
);
select throws_ok(
    $$select symphony.enqueue('A', delay => '1 s', available_at => now() + interval '1 s')$$, '22023', null,
    'a delay beside a time is refused'
);
select throws_ok(
    $$select symphony.enqueue('A', available_at => 'infinity')$$,
    '22023', null, 'a time that never comes is refused'
);
select throws_ok(
    $$select symphony.enqueue('A', available_at => now() - interval '1 hour')$$,
    '22023', null, 'a time that is past is refused'
);
select throws_ok(
    $$select symphony.enqueue('A', idempotency_key => '')$$,
    '22023', null, 'an empty key is refused'
);
select throws_ok(
    $$select symphony.enqueue('A', idempotency_key => repeat('x', 513))$$,
    '22023', null, 'a key that is too long is refused'
);
select throws_ok(
    $$select symphony.enqueue('A', idempotency_key => 'k', queue_name => 'nope')$$, 'SY001', null,
    'a key in an unknown queue is refused'
);
select throws_ok(
    $$select symphony.enqueue('A', to_jsonb(string_agg(md5(i::text), '')))
      from generate_series(1, 33000) as i$$,
    'SY004', null, 'a body of more than a megabyte is refused'
);
select lives_ok(
    $$select symphony.enqueue('A', to_jsonb(string_agg(md5(i::text), '')))
      from generate_series(1, 32000) as i$$,
    'a body of just under a megabyte is taken'
);
select lives_ok($$select symphony.enqueue('A', available_at => now())$$, 'a time that is now is taken');
select is((select count(*) from symphony.pending_message), 2::bigint, 'nothing of what was refused is kept');
select * from finish();
