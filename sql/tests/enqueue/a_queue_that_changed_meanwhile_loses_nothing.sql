-- enqueue: a message that its lane refuses, though nothing is wrong with it, is an error and never an id of nothing.
select plan(2);

update symphony.lane set max_body_bytes = 10;    -- as if the queue had been created anew, after the lane was read
select throws_ok($$select symphony.enqueue('A', '{"longer": "than ten"}', 'default')$$, '40001',
    'queue "default" is not as it was a moment ago', 'with a queue');
select throws_ok($$select symphony.enqueue('A', '{"longer": "than ten"}')$$, '40001',
    'queue "default" is not as it was a moment ago', 'and without one');
update symphony.lane set max_body_bytes = default;
select * from finish();
