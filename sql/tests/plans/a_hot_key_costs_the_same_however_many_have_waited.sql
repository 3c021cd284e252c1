-- A claim of an ordered queue does not walk over what has waited, though a long snapshot keeps its entries.
select plan(2);

select symphony.create_queue('q', ordered => true);
select tap.elsewhere('reader', 'begin isolation level repeatable read');
select tap.elsewhere('reader', 'select count(*) from symphony.parked');

create procedure pg_temp.go_on(rounds integer) language plpgsql as $$
begin
    for i in 1 .. rounds loop
        perform symphony.enqueue('T', queue_name => 'q', group_key => 'hot') from generate_series(1, 3);
        commit;
        perform symphony.claim_batch('{q}', 10);    -- the key is in hands: all of these wait
        perform symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';
        perform symphony.claim_batch('{q}', 1);
        commit;
    end loop;
end $$;
select symphony.enqueue('T', queue_name => 'q', group_key => 'hot');
select symphony.claim_batch('{q}', 1);
call pg_temp.go_on(10);
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';
create temporary table early as select tap.buffers($$select from symphony.claim_batch('{q}', 1)$$) as buffers;
call pg_temp.go_on(300);
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';
create temporary table late as select tap.buffers($$select from symphony.claim_batch('{q}', 1)$$) as buffers;
select cmp_ok(
    (select late.buffers from late), '<', (select early.buffers + 60 from early), 'a claim costs the same'
);
select cmp_ok((select count(*)::integer from symphony.parked), '>', 500, 'though hundreds wait');
select tap.elsewhere('reader', 'rollback');
select * from finish();
