-- claim_batch, enqueue: they walk an index in order and touch no more than the batch, beside no, ten thousand
-- or a million rows.
-- Runs alone: it is big.
select plan(14);

create function pg_temp.fill(n integer) returns void language sql as $$
    insert into symphony.message (enqueued_at, lane_id, message_type, body, headers)
    select now(), lane_id, 'Fill', jsonb_build_object('n', i), '{}'
    from symphony.lane, generate_series(1, n) as i
    where queue_name = 'default' and priority = 5 and not alone
$$;
create function pg_temp.drain() returns integer language plpgsql as $$
declare v_claim_id bigint; v_size integer; v_total integer := 0;
begin
    loop
        select max(claim_id), count(*) into v_claim_id, v_size from symphony.claim_batch('{default}', 1000);
        exit when v_size = 0;
        perform symphony.ack(v_claim_id);
        v_total := v_total + v_size;
    end loop;
    return v_total;
end $$;

create temporary table cost (
    state text, claim_1 integer, claim_100 integer, nothing integer, enqueue integer
);
create function pg_temp.measure(state text) returns void language sql as $$
    insert into cost
    select state, tap.buffers($x$select * from symphony.claim_batch('{default}', 1)$x$, runs => 8),
           tap.buffers($x$select * from symphony.claim_batch('{default}', 100)$x$, runs => 8),
           tap.buffers($x$select * from symphony.claim_batch('{empty}', 1)$x$, runs => 8),
           tap.buffers($x$select symphony.enqueue('A')$x$, runs => 8)
$$;

select symphony.create_queue('empty');
select lives_ok($$select pg_temp.fill(1000)$$, 'a thousand messages are enqueued');
select pg_temp.measure('none');
select lives_ok($$select pg_temp.fill(10000)$$, 'ten thousand more are enqueued');
select pg_temp.measure('10 thousand pending');
select lives_ok($$select pg_temp.fill(1000000)$$, 'a million more are enqueued');
select pg_temp.measure('a million pending');
select cmp_ok(pg_temp.drain(), '>', 1000000, 'all of it is worked off');
select lives_ok($$select pg_temp.fill(1000)$$, 'a thousand more are enqueued');
select pg_temp.measure('a million consumed');

select diag(format('%s: claim of one %s, of a hundred %s, of nothing %s, enqueue %s buffers',
                   state, claim_1, claim_100, nothing, enqueue)) from cost;
select cmp_ok(max(claim_1), '<', 100, 'a claim of one touches fewer than 100 buffers in any state') from cost;
select cmp_ok(
    max(claim_1) - min(claim_1),
    '<=', 12, 'a claim of one touches about the same number in all states'
)
from cost;
select cmp_ok(
    max(claim_100) - max(claim_1),
    '<', 150, 'a claim of a hundred costs at most a buffer and a half for each'
)
from cost;
select cmp_ok(
    max(claim_100) - min(claim_100),
    '<=', 60, 'a claim of a hundred costs about the same in all states'
)
from cost;
select cmp_ok(max(nothing), '<', 60, 'looking into an empty queue costs next to nothing') from cost;
select cmp_ok(
    max(nothing) - min(nothing),
    '<=', 8, 'looking into an empty queue costs about the same in all states'
)
from cost;
select cmp_ok(max(enqueue), '<', 40, 'enqueueing touches fewer than 40 buffers') from cost;
select cmp_ok(
    max(enqueue) - min(enqueue),
    '<=', 12, 'enqueueing costs about the same in all states'
)
from cost;
select is((select count(*) from cost), 4::bigint, 'four states were measured');
select * from finish();
