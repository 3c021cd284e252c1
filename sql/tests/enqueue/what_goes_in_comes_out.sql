-- enqueue: what goes in comes out, exactly.
select plan(7);

select symphony.enqueue(
    'Ünï☃',
    '{"amount": 12345678901234567890.123456789012345678901234567890, "text": "naïve ☃ 😀"}',
    headers => '{"tenant": "acme"}', group_key => 'g1'
);
select results_eq(
    $$select message_type, body::text, headers, group_key from symphony.claim_batch()$$,
    $$values ('Ünï☃',
              '{"text": "naïve ☃ 😀", "amount": 12345678901234567890.123456789012345678901234567890}',
              '{"tenant": "acme"}'::jsonb, 'g1')$$,
    'types, bodies, headers and keys come out as they went in'
);

-- An idempotency key.
select is(
    symphony.enqueue('A', idempotency_key => 'order-1'),
    symphony.enqueue('A', idempotency_key => 'order-1'),
    'a second message with a key in use returns the id of the first'
);
select symphony.create_queue('other');
select isnt(
    symphony.enqueue('A', idempotency_key => 'order-1'),
    symphony.enqueue('A', idempotency_key => 'order-1', queue_name => 'other'),
    'a key counts within one queue'
);
begin;
select symphony.enqueue('A', idempotency_key => 'order-2');
rollback;
select lives_ok(
    $$select symphony.enqueue('A', idempotency_key => 'order-2')$$,
    'a key is free after a rollback'
);
create temporary table before as select symphony.enqueue('A', idempotency_key => 'order-2') as id;
select tap.advance_clock('25 hours');
select isnt(
    symphony.enqueue('A', idempotency_key => 'order-2'),
    (select id from before), 'a key is free again when the window of the queue is over'
);
select is(
    symphony.enqueue('A', idempotency_key => 'order-2') > (select id from before),
    true, 'it stands for the new message then'
);
select symphony.tick();
select is_empty(
    $$select from symphony.idempotency_key where expires_at < symphony._now()$$,
    'tick removes keys that are free again'
);
select * from finish();
