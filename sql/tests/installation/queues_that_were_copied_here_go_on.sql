-- rebase: queues that a dump brought from a server with higher transaction ids go on as they were.
-- They lose nothing.
select plan(22);

-- As a restore does: rows in new transactions, with the transaction ids of another server.
create function pg_temp.copy_here(further bigint) returns void language plpgsql as $$
begin
    update symphony.message set txid = txid + further;
    update symphony.claim set partial_txid = partial_txid + further,
        ahead = (select range_agg(int8range(lower(part) + further, upper(part) + further))
                 from unnest(ahead) as part);
    update symphony.purge_position set txid = txid + further;
    delete from symphony.server_mark;
    insert into symphony.server_mark values (1), (2);
end $$;
create function pg_temp.work_off() returns bigint[] language plpgsql as $$
declare v_done bigint[] := '{}'; v_claim_id bigint; v_ids bigint[];
begin
    loop
        select max(claim_id), array_agg(message_id) into v_claim_id, v_ids
        from symphony.claim_batch('{default}', 2);
        exit when v_claim_id is null;
        perform symphony.ack(v_claim_id);
        v_done := v_done || v_ids;
    end loop;
    return v_done;
end $$;

select row(symphony.rebase()) is not null;
select is(needed, false, 'nothing is to be done where Symphony was installed') from symphony.rebase();
select is(moved_by, null, 'no move is told there') from symphony.rebase();

-- 1 and 2 are done, 3 is in the hands of a worker, 4 came late and 5 is done.
-- 6 to 8 are one transaction, and partly done.
select symphony.enqueue('A') from generate_series(1, 3);
select symphony.ack(max(claim_id)) from symphony.claim_batch(batch_size => 2);
create temporary table held as
select claim_id, message_id
from symphony.claim_batch(batch_size => 1, lease => '1 hour');
select tap.elsewhere('late', 'begin');
select tap.elsewhere('late', $$select symphony.enqueue('A')$$);
select symphony.enqueue('A');
select symphony.ack(max(claim_id)) from symphony.claim_batch();
select tap.elsewhere('late', 'commit');
select is(
    (select message_id from symphony.claim_batch(batch_size => 1)),
    4::bigint, 'the late one is handed out'
);
select symphony.ack(tap.newest_claim());
select tap.elsewhere('late', 'begin');
select tap.elsewhere('late', $$select symphony.enqueue('A')$$);
select symphony.enqueue('A') from generate_series(1, 3);
select symphony.ack(max(claim_id)) from symphony.claim_batch(batch_size => 1);
select tap.elsewhere('late', 'commit');
create temporary table before as
select s.* from symphony.message as m, symphony.message_status(m.message_id) as s;

select pg_temp.copy_here(1000000);
select set_eq(
    $$select invariant from symphony.check()$$,
    array['a position is of this server'],
    'check() says that they were copied'
);
select isnt_empty(
    $$select from symphony.claim, unnest(ahead) as part where not upper_inf(part)$$,
    'a position has a gap'
);

-- What is enqueued now has a lower transaction id than what was handed out.
select symphony.enqueue('A');
begin;
select pg_current_xact_id() is not null;
savepoint s;
select symphony.enqueue('A');
release savepoint s;
commit;
select symphony.enqueue_batch('[{"message_type": "A"}]');
select is((select count(*) from symphony.message_status(10)), 1::bigint, 'what is enqueued now is there');

create temporary table rebased as select * from symphony.rebase();
select ok(needed, 'rebase() was needed') from rebased;
select cmp_ok(moved_by, '>', 990000::bigint, 'the positions were moved far') from rebased;
select is(messages, (select count(*) from before), 'what the other server had was moved') from rebased;
select is(enqueued_here, 3::bigint, 'what was enqueued here was not') from rebased;
select is_empty($$select * from symphony.check()$$, 'all invariants hold');
select is_empty(
    $$select before.message_id from before, symphony.message_status(before.message_id) as s
                  where to_jsonb(before) <> to_jsonb(s)$$,
    'each message is where it was, in the claim it was in'
);
select is(needed, false, 'nothing is to be done a second time') from symphony.rebase();
select is(symphony.ack(claim_id), 1, 'a claim is still held') from held;
select is(
    pg_temp.work_off(),
    '{8,9,6,10,11,12}', 'what was pending is handed out in its order, then what was enqueued here'
);

-- tick() and claim_batch() do it by themselves.
select pg_temp.copy_here(1000000);
select symphony.enqueue('A');
select symphony.tick();
select is_empty($$select * from symphony.check()$$, 'all invariants hold after a tick');
select is(pg_temp.work_off(), '{13}', 'what was enqueued before is handed out');
select pg_temp.copy_here(1000000);
select symphony.enqueue('A');
select is(pg_temp.work_off(), '{14}', 'a claim does not go by foreign positions');
select is_empty($$select * from symphony.check()$$, 'all invariants hold after a claim');
select throws_ok(
    $$select symphony.claim_batch('{nope}')$$,
    'SY001', null, 'an unknown queue is still refused'
);

-- Nothing may be claimed or moved while replication fills the tables.
begin;
create subscription sy_test connection 'dbname=nope' publication p with (connect = false);
insert into pg_subscription_rel (srsubid, srrelid, srsubstate)
select oid, 'symphony.message'::regclass, 'r'
from pg_subscription where subname = 'sy_test';
update pg_subscription set subenabled = true where subname = 'sy_test';
delete from symphony.server_mark;
select throws_ok(
    $$select symphony.rebase()$$,
    'SY012', null, 'rebase() is refused while a subscription is enabled'
);
rollback;
begin isolation level repeatable read;
select throws_ok(
    $$select symphony.rebase()$$,
    'SY011', null, 'rebase() is refused where a snapshot may be older than the last claim'
);
rollback;
select * from finish();
