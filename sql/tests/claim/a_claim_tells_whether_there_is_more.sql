-- claim_batch: has_more is false if nothing else waited, so that who is notified of news need not look again.
select plan(13);
select symphony.create_queue('other');
select symphony.enqueue('A') from generate_series(1, 3);
select results_eq(
    $$select has_more from symphony.claim_batch(batch_size => 2)$$,
    $$values (true), (true)$$, 'a claim that is full has left something'
);
select results_eq(
    $$select has_more from symphony.claim_batch(batch_size => 2)$$,
    $$values (false)$$, 'one that is not full has left nothing'
);


-- A claim that is full.
select symphony.enqueue('A') from generate_series(1, 2);
select results_eq(
    $$select has_more from symphony.claim_batch(batch_size => 2)$$,
    $$values (false), (false)$$, 'one that is just full has left nothing'
);
select symphony.enqueue('A');
select symphony.enqueue('A');
select results_eq(
    $$select has_more from symphony.claim_batch(batch_size => 1)$$,
    $$values (true)$$, 'another transaction has something'
);
select results_eq(
    $$select has_more from symphony.claim_batch(batch_size => 1)$$,
    $$values (false)$$, 'the last one has nothing'
);
select tap.elsewhere('late', 'begin');
select tap.elsewhere('late', $$select symphony.enqueue('A')$$);
select symphony.enqueue('A') from generate_series(1, 2);
select count(*) from symphony.claim_batch(batch_size => 1);
select tap.elsewhere('late', 'commit');
select results_eq(
    $$select has_more from symphony.claim_batch(batch_size => 1)$$,
    $$values (true)$$, 'one that was committed late lies before the last claim'
);
select results_eq(
    $$select has_more from symphony.claim_batch()$$,
    $$values (false)$$, 'and is handed out'
);

select symphony.enqueue('A', priority => 9);
select symphony.enqueue('A');
select symphony.tick();
select results_eq(
    $$select priority, has_more from symphony.claim_batch()$$,
    $$values (9, true)$$, 'a lane behind it has something'
);
select results_eq(
    $$select priority, has_more from symphony.claim_batch()$$,
    $$values (5, false)$$, 'the last lane was looked into before, and is not now'
);
select symphony.enqueue('A', priority => 9);
select results_eq(
    $$select has_more from symphony.claim_batch()$$,
    $$values (false)$$, 'the lanes behind it have nothing'
);

select symphony.enqueue('A');
select symphony.enqueue('A', queue_name => 'other');
select results_eq(
    $$select queue_name, has_more from symphony.claim_batch('{default,other}')$$,
    $$values ('default', true)$$, 'another queue has something'
);

-- A lane that another session holds may have something.
select symphony.enqueue('A', priority => 9);
select tap.elsewhere('holder', 'begin');
select tap.elsewhere('holder', 'select count(*) from symphony.claim_batch()');
select symphony.enqueue('A', priority => 9);
select symphony.enqueue('A');
select results_eq(
    $$select priority, has_more from symphony.claim_batch()$$,
    $$values (5, true)$$, 'a lane that was passed over may have something'
);
select tap.elsewhere('holder', 'commit');
select results_eq(
    $$select priority from symphony.claim_batch()$$,
    $$values (9)$$, 'and it has'
);
select * from finish();
