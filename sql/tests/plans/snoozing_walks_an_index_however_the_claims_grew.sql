-- snooze: a session that planned it beside few claims does not walk over a hundred thousand later, even if it
-- does nothing but snooze.
select plan(3);

create function pg_temp.cost() returns integer language sql as $$
    select tap.buffers($x$select symphony.snooze(claim_id, message_id, '1 h')
                          from symphony.claim_batch('{default}', 1)$x$)
$$;

select lives_ok(
    $$select symphony.enqueue('A') from generate_series(1, 100)$$,
    'there is something to put off'
);
analyze symphony.claim;
analyze symphony.message;
select lives_ok(
    $$select pg_temp.cost() from generate_series(1, 20)$$,
    'a session snoozes its first messages'
);
insert into symphony.claim (lane_id, claimed_at, lease_until, finished_at, size, ahead, open_ids)
select lane_id, now(), now() + interval '1 hour', now(), 1, '{[0,)}', '{}'
from (select min(lane_id) as lane_id from symphony.lane) as other, generate_series(1, 100000);
select cmp_ok(
    (select min(pg_temp.cost()) from generate_series(1, 3)),
    '<', 150, 'it touches few buffers, however many claims there are'
);
select * from finish();
