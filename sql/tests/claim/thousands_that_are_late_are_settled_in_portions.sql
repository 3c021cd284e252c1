-- Where thousands of messages have expired, a claim settles some thousands, and the next one goes on; also
-- while a long snapshot keeps whatever has been removed.
select plan(15);

create function pg_temp.late(count integer, queue text, on_expiry text default 'fail') returns void
language sql as $$
    select symphony.enqueue('T', to_jsonb(n), queue, expires_in => '1 s', on_expiry => late.on_expiry,
                            group_key => 'k' || n % 7)
    from generate_series(1, count) as n
$$;
create function pg_temp.take(queue text, at_most integer) returns text language sql as $$
    select coalesce(string_agg(body #>> '{}', ' '), 'none')
    from symphony.claim_batch(array[queue], at_most, 'w')
$$;
create function pg_temp.failed(queue text) returns bigint language sql as $$
    select count(*) from symphony.failed_message join symphony.lane using (lane_id)
    where lane.queue_name = failed.queue
$$;

select symphony.create_queue('plain');
select symphony.create_queue('paced', rate => '5/1 hour', lease => '1 day');
select symphony.create_queue('ordered', ordered => true);
select tap.set_clock('2030-01-01 10:00+00');
select tap.elsewhere('reader', 'begin isolation level repeatable read');
select tap.elsewhere('reader', 'select count(*) from symphony.message');

select pg_temp.late(6000, 'plain'), symphony.enqueue('T', '"here"', 'plain');
select pg_temp.late(600, 'paced', 'drop'), symphony.enqueue('T', '"here"', 'paced');
select pg_temp.late(6000, 'ordered'), symphony.enqueue('T', '"here"', 'ordered', group_key => 'k1');
select tap.advance_clock('1 s');

-- In a lane without limits.
listen "symphony:plain";
select is(pg_temp.take('plain', 100), 'none', 'a claim that meets nothing else ends');
select is(pg_temp.failed('plain'), 5000::bigint, 'after so many');
select is(pg_temp.take('plain', 1), 'none', 'one that takes one at a time');
select is(pg_temp.failed('plain'), 5100::bigint, 'after fewer');
select is(pg_temp.take('plain', 100), 'here', 'the last one finds what is in time');
select is(pg_temp.failed('plain'), 6000::bigint, 'behind all of them');
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';
select is(pg_temp.take('plain', 100), 'none', 'then nothing is left');

-- Where a rate allows a few.
select is((select string_agg(pg_temp.take('paced', 100), ' ') from generate_series(1, 4)),
          'none here none none', 'a rate lets late messages pass, but it takes two claims');
select is((select full_at - symphony._now() from symphony.gate where queue_name = 'paced'), '12 minutes',
          'only what was handed out has used a token');
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';

-- In an ordered queue.
select is(pg_temp.take('ordered', 100), 'none', 'an ordered queue does the same');
select is(pg_temp.failed('ordered'), 5000::bigint, 'in portions');
select is(pg_temp.take('ordered', 100), 'here', 'and comes to the end');
select is_empty('select * from symphony.held_key', 'nothing is held');
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';

-- A purge removes what it left, and nothing else.
select tap.elsewhere('reader', 'commit');
select is_empty('select * from symphony.check()', 'every invariant holds');
select tap.advance_clock('1 hour');
update symphony.tick set purge_at = '-infinity';
select count(*) from symphony.purge();
select is_empty('select * from symphony.check()', 'also after a purge');
select * from finish();
