-- tick: completed messages and their claims are removed after the retention of the queue, and nothing else.
select plan(9);

select symphony.create_queue('q', retention => '1 hour', lease => '1 day');
-- Runs alone: a transaction in another database of the server holds up the purge.
-- A transaction of the server itself may do so, too: the purge is tried until it has done what it should.
create function pg_temp.purge(expected integer) returns integer language plpgsql as $$
declare v_purged integer := 0;
begin
    for i in 1 .. 200 loop
        update symphony.tick set purge_at = '-infinity';
        v_purged := v_purged + (symphony.tick() ->> 'purged')::integer;
        exit when v_purged >= expected;
        perform pg_sleep(0.05);
    end loop;
    return v_purged;
end $$;
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
select tap.advance_clock('2 hours');
select is(pg_temp.purge(4), 4, 'what was completed is removed, up to the first message that is not');
select isnt((select min(message_id) from symphony.message), 1::bigint, 'the oldest is not known any more');
select is((select status from symphony.message_status(5)), 'processing', 'what is being processed stays');
select is((select status from symphony.message_status(7)), 'completed', 'what came after it stays');
select is((select status from symphony.message_status(9)), 'pending', 'what is pending stays');
select symphony.ack(claim_id) from (select distinct claim_id from open) c;
select tap.advance_clock('2 hours');
select is(pg_temp.purge(4), 4, 'the rest follows when it is completed');
select is(
    (select count(*)
     from symphony.claim join symphony.lane using (lane_id) where queue_name = 'q' and priority = 5),
    1::bigint, 'the newest claim stays, since it is the position'
);
select is(
    (select count(*) from symphony.claim_batch('{q}')),
    2::bigint, 'what was pending is still handed out'
);
select * from finish();
