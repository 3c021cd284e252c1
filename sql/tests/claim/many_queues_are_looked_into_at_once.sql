-- claim_batch: a worker of many queues finds whatever there is, in its order, and pays little for the others.
select plan(8);

select symphony.create_queue('q' || i) from generate_series(10, 59) as i;
create temporary table wanted as
select array_agg('q' || i order by i) as queues from generate_series(10, 59) as i;
create function pg_temp.claim() returns table (queue_name text, message_id bigint) language sql as $$
    select c.queue_name, c.message_id from wanted, symphony.claim_batch(queues, 1) as c
$$;
-- Each of them has been used.
select symphony.enqueue('A', queue_name => queue_name) from wanted, unnest(queues) as queue_name;
do $$
begin
    for i in 10 .. 59 loop
        perform symphony.ack(claim_id) from symphony.claim_batch(array['q' || i]);
    end loop;
end $$;
select is_empty('select pg_temp.claim()', 'nothing is found where nothing is');
select symphony.enqueue('A', queue_name => 'q59'), symphony.enqueue('A', queue_name => 'q30'),
       symphony.enqueue('A', queue_name => 'q30', priority => 9);
select results_eq(
    'select * from pg_temp.claim()', $$values ('q30', 53::bigint)$$,
    'the first of the queues comes first, and in it the highest priority'
);
select results_eq('select * from pg_temp.claim()', $$values ('q30', 52::bigint)$$, 'then its other one');
select results_eq('select * from pg_temp.claim()', $$values ('q59', 51::bigint)$$, 'the last queue is found');

-- A message that was committed late, and the rest of a transaction.
select tap.elsewhere('late', 'begin');
select tap.elsewhere('late', $$select symphony.enqueue('A', queue_name => 'q20')$$);
select symphony.enqueue('A', queue_name => 'q20') from generate_series(1, 2);
select results_eq('select * from pg_temp.claim()', $$values ('q20', 55::bigint)$$, 'one of two is claimed');
select tap.elsewhere('late', 'commit');
select results_eq(
    'select message_id from pg_temp.claim() union all select message_id from pg_temp.claim()',
    $$values (56::bigint), (54)$$,
    'what the last claim has left is found, and what was committed late'
);
select is_empty('select pg_temp.claim()', 'then there is nothing any more');
select symphony.tick();
select cmp_ok(
    tap.buffers('select symphony.claim_batch(queues) from wanted', runs => 5),
    '<', 50 * 40, 'a look into fifty queues touches few buffers for each'
);
select * from finish();
