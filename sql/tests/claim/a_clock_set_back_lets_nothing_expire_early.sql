-- A message expires by the time of the claim, also if the clock was set back or forth meanwhile.
select plan(12);

create function pg_temp.take(queue text default 'q') returns text language sql as $$
    select coalesce(string_agg(body #>> '{}', ' '), 'none') from symphony.claim_batch(array[queue], 10, 'w')
$$;

select symphony.create_queue('q', lease => '1 minute'), symphony.create_queue('r', rate => '2/2 s');
select tap.set_clock('2030-01-01 10:00+00');
select symphony.enqueue('T', '"a"', 'q', expires_in => '1 minute');
select tap.advance_clock('-1 hour');
select symphony.tick();
select is(pg_temp.take(), 'a', 'what had expired soon has time again');
select is(n.available_at - symphony._now(), '1 hour 1 minute'::interval, 'a retry goes as far as before')
from symphony.claim as c,
     symphony.nack_with_backoff(c.claim_id, c.open_ids[1], 'x', retry_after => '1 day') as n
where c.open_ids <> '{}';

-- A lease ends later, and its message expires meanwhile.
select symphony.enqueue('T', '"b"', 'q', expires_in => '30 s');
select is(pg_temp.take(), 'b', 'another one is handed out');
select tap.advance_clock('-10 s');
select symphony.tick();
select is(symphony.ack(claim_id), 1, 'and its lease is held') from symphony.claim where open_ids <> '{}';

-- Expired, and then the clock is right again.
select symphony.enqueue('T', '"c"', 'q', expires_in => '30 s'),
       symphony.enqueue('T', '"d"', 'q', expires_in => '2 hours');
select tap.advance_clock('1 hour');
select is(pg_temp.take(), 'd', 'a clock that goes ahead lets expire what is late by it');
select tap.advance_clock('-1 hour');
select is(reason, 'expired', 'what has failed stays so') from symphony.failed_message;
select is(pg_temp.take(), 'none', 'it is not handed out');
select is(h.event, 'expired', 'its history tells it')
from symphony.failed_message as f, symphony.message_history(f.message_id) as h;

-- Of a rate what is late gives back what it took, and a bucket is never fuller than full.
select symphony.enqueue('T', '"e"', 'r', expires_at => symphony._now() - interval '1 hour');
select symphony.enqueue('T', to_jsonb('f' || n), 'r') from generate_series(1, 4) as n;
select tap.advance_clock('-10 minutes');
select is(pg_temp.take('r'), 'f1', 'the late one is passed');
select is(pg_temp.take('r'), 'f2', 'and its token is there');
select is(full_at - symphony._now(), '2 s'::interval, 'the bucket is empty') from symphony.gate;
select is_empty('select * from symphony.check()', 'every invariant holds');
select * from finish();
