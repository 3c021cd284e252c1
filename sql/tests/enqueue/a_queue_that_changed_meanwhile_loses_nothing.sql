-- enqueue: a lane may refuse a message that nothing is wrong with.  That is an error, never an id of nothing.
select plan(2);

-- As if the queue had been created anew after the lane was read.
update symphony.lane set max_body_bytes = 10;
select throws_ok(
    $$select symphony.enqueue('A', '{"longer": "than ten"}', 'default')$$,
    '40001', 'queue "default" is not as it was a moment ago', 'a message that names its queue is an error'
);
select throws_ok(
    $$select symphony.enqueue('A', '{"longer": "than ten"}')$$,
    '40001', 'queue "default" is not as it was a moment ago', 'a message without a queue is an error'
);
update symphony.lane set max_body_bytes = default;
select * from finish();
