-- waiting_types: it says which types wait in queues, and looks at a thousand messages of a kind at most.
select plan(9);

select symphony.create_queue('q');
select symphony.create_queue('other');
select is_empty('select * from symphony.waiting_types()', 'nothing waits');
select symphony.enqueue('A', queue_name => 'q') from generate_series(1, 3);
select symphony.enqueue('A', queue_name => 'q', headers => '{"handler": "audit"}');
select symphony.enqueue('B', queue_name => 'q', priority => 9, delay => '1 hour');
select symphony.enqueue('C', queue_name => 'other');
select results_eq(
    $$select * from symphony.waiting_types('{q}')$$,
    $$values ('A', null, 3::bigint), ('A', 'audit', 1), ('B', null, 1)$$,
    'what is pending and what is delayed is told by type and handler'
);
select results_eq(
    $$select message_type, sum(messages) from symphony.waiting_types() group by 1 order by 1$$,
    $$values ('A', 4::numeric), ('B', 1), ('C', 1)$$, 'of all queues, if none is named'
);
select symphony.ack(claim_id) from symphony.claim_batch('{q}', 3) group by claim_id;
select symphony.nack_with_backoff(claim_id, message_id, 'no', retryable => false)
from symphony.claim_batch('{other}');
select results_eq(
    $$select message_type, handler_name from symphony.waiting_types()$$,
    $$values ('A', 'audit'), ('B', null)$$, 'what is done or failed does not wait'
);
select throws_ok($$select symphony.waiting_types('{nowhere}')$$, 'SY001', null, 'a queue must exist');
select throws_ok($$select symphony.waiting_types('{}')$$, '22023', null, 'one must be named');

-- Many.
select count(*)
from symphony.enqueue_batch((
    select jsonb_agg(jsonb_build_object('message_type', 'M', 'queue_name', 'q', 'priority', i % 2 * 5,
                                        'delay', case when i > 3000 then '1 day' else '0 s' end))
    from generate_series(1, 6000) as i));
vacuum analyze symphony.message, symphony.delayed_message;
select ok(
    (select messages between 1500 and 2000 from symphony.waiting_types('{q}') where message_type = 'M'),
    'it looks at a thousand pending and a thousand delayed ones'
);
select cmp_ok(
    tap.buffers($$select * from symphony.waiting_types('{q}')$$, 3), '<', 400,
    'however many there are'
);
select is(
    (select count(*) from symphony.waiting_types('{other}')), 0::bigint,
    'a queue in which nothing waits has no row'
);
select * from finish();
