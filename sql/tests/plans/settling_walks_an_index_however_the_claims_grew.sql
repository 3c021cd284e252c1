-- ack, release, extend_lease, nack_with_backoff, idle, enqueue_batch: a session that planned them beside one
-- claim does not walk over a hundred thousand later.
select plan(9);

create function pg_temp.claim() returns bigint language sql as
    $$select claim_id from symphony.claim_batch('{default}', 1)$$;
create function pg_temp.settle_all() returns integer[] language sql as $$
    select array[
        tap.buffers(format('select symphony.ack(%s)', pg_temp.claim())),
        tap.buffers($x$select symphony.ack(claim_id, array[message_id])
                       from symphony.claim_batch('{default}', 1)$x$),
        tap.buffers(format('select symphony.release(%s)', pg_temp.claim())),
        tap.buffers(format('select symphony.extend_lease(array[%s])', pg_temp.claim())),
        tap.buffers($x$select symphony.nack_with_backoff(claim_id, message_id, 'oops')
                       from symphony.claim_batch('{default}', 1)$x$),
        tap.buffers($x$select symphony.idle('a', '{default}')$x$),
        tap.buffers($x$select symphony.enqueue_batch('[{"message_type": "B"}]')$x$)]
$$;

select lives_ok($$select symphony.enqueue('A') from generate_series(1, 2000)$$, 'there is something to do');
select symphony.idle('b', '{default}');    -- whoever enqueues looks for the newest claim
analyze symphony.claim;
analyze symphony.idle_worker;
select lives_ok(
    $$select pg_temp.settle_all() from generate_series(1, 20)$$,
    'a session settles its first messages'
);
insert into symphony.claim (lane_id, claimed_at, lease_until, finished_at, size, ahead, open_ids)
select lane_id, now(), now() + interval '1 hour', now(), 1, '{[0,)}', '{}'
from (select min(lane_id) as lane_id from symphony.lane) as other, generate_series(1, 100000);
insert into symphony.idle_worker (queue_name, workers)
select 'other' || i, '{}'
from generate_series(1, 20000) as i;

create temporary table cost as select pg_temp.settle_all() as buffers from generate_series(1, 3);
select diag('buffers: ' || buffers::text) from cost limit 1;
select cmp_ok(
    min(buffers[verb]),
    '<', 150, what || ' touches few buffers, however many claims there are'
)
from cost, (values
    (1, 'ack'),
    (2, 'ack by message'),
    (3, 'release'),
    (4, 'extend_lease'),
    (5, 'nack'),
    (6, 'idle'),
    (7, 'enqueue_batch to workers that sleep')
) as verb (verb, what)
group by verb, what order by verb;
select * from finish();
