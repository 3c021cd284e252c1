-- list_queues: all queues are listed, and no queue waits for ever behind a busy one.
select plan(4);
select symphony.create_queue('b'), symphony.create_queue('a');
select set_eq($$select symphony.list_queues()$$, '{a,b,default}'::text[], 'all queues are listed');
select symphony.enqueue('A', queue_name => q, priority => p)
from unnest('{a,b,default}'::text[]) as q, generate_series(1, 9) as p;
select symphony.claim_batch('{default}');
select symphony.claim_batch('{b}');
select symphony.claim_batch('{a}');
select results_eq(
    $$select symphony.list_queues()$$,
    $$values ('default'), ('b'), ('a')$$,
    'the one that was served last is the last'
);
select symphony.claim_batch('{default}');
select results_eq(
    $$select symphony.list_queues()$$,
    $$values ('b'), ('a'), ('default')$$,
    'the order does not depend on priorities'
);
select symphony.drop_queue('a', force => true);
select results_eq(
    $$select symphony.list_queues()$$,
    $$values ('b'), ('default')$$,
    'a queue that was dropped is gone'
);
select * from finish();
