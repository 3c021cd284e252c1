-- tick: completed messages and their claims are removed after the retention of the queue, and nothing else.
select plan(9);

select symphony.create_queue('q', retention => '1 hour', lease => '1 day');
create function pg_temp.later(i interval) returns void language plpgsql as $$
begin
    execute format('create or replace function symphony._now() returns timestamptz language sql as $f$ select pg_catalog.clock_timestamp() + %L::interval $f$', i);
end $$;
-- Each in a transaction of its own: one is purged when it has been handed out completely, and so have
-- all before it, those of other databases too.  So only bounds are certain here.
select symphony.enqueue('A', queue_name => 'q');
select symphony.enqueue('A', queue_name => 'q');
select symphony.enqueue('A', queue_name => 'q');
select symphony.enqueue('A', queue_name => 'q');
select symphony.enqueue('A', queue_name => 'q');
select symphony.enqueue('A', queue_name => 'q');
select symphony.enqueue('A', queue_name => 'q');
select symphony.enqueue('A', queue_name => 'q');
select symphony.enqueue('A', queue_name => 'q');
select symphony.enqueue('A', queue_name => 'q');

select symphony.ack(claim_id) from (select distinct claim_id from symphony.claim_batch('{q}', 4)) c;
create temporary table open as select * from symphony.claim_batch('{q}', 2);
select symphony.ack(claim_id) from (select distinct claim_id from symphony.claim_batch('{q}', 2)) c;

select is((symphony.tick() ->> 'purged')::integer, 0, 'nothing is removed before its time');
select pg_temp.later('2 hours');
select ok((symphony.tick() ->> 'purged')::integer between 1 and 3, 'then what was completed is, up to the transaction that the last such claim ended in');
select isnt((select min(message_id) from symphony.message), 1::bigint, 'the oldest is not known any more');
select is((select status from symphony.message_status(5)), 'processing', 'what is being processed stays');
select is((select status from symphony.message_status(7)), 'completed', 'and what came after it');
select is((select status from symphony.message_status(9)), 'pending', 'and what is pending');
select symphony.ack(claim_id) from (select distinct claim_id from open) c;
select pg_temp.later('4 hours');
select ok((symphony.tick() ->> 'purged')::integer between 1 and 6, 'the rest follows when it is completed');
select is((select count(*) from symphony.claim join symphony.lane using (lane_id) where queue_name = 'q' and priority = 5), 1::bigint,
    'of the claims the newest stays: it is the position');
select is((select count(*) from symphony.claim_batch('{q}')), 2::bigint, 'what was pending is still handed out');
select * from finish();
