-- queue_figures, type_figures: whatever the retention, minutes are kept for 7 days and hours for 90.
-- Runs alone: a transaction in another database of the server holds up the purge.
select plan(21);

create function pg_temp.work(queue_name text) returns void language plpgsql as $$
begin
    perform tap.elsewhere(format($sql$select count(*) from symphony.enqueue_batch((
        select jsonb_agg(jsonb_build_object('message_type', 'A', 'queue_name', %L))
        from generate_series(1, 10)))$sql$, work.queue_name));
    perform symphony.ack(min(claim_id)) from symphony.claim_batch(array[work.queue_name], 4);
    perform symphony.ack(min(claim_id)) from symphony.claim_batch(array[work.queue_name], 6);
end $$;
create function pg_temp.sums(queue_name text, step text)
returns table (n bigint, arrived numeric, claimed numeric, completed numeric, waited interval)
language sql as $$
    select count(*), sum(f.arrived), sum(f.claimed), sum(f.completed), max(f.waited_p95)
    from symphony.queue_figures(sums.queue_name, since => '-infinity', step => sums.step) as f
$$;

-- The same work with three retentions, purged as soon as may be.
select tap.set_clock('2030-01-01 12:00:07+00');
select symphony.create_queue(q, retention => r)
from (values ('none', interval '0'), ('short', '5 s'), ('long', '1 day')) as t (q, r);
select symphony.tick();
select pg_temp.work(q) from unnest('{none,short,long}'::text[]) as q;
select tap.pass_time('30 s');
select pg_temp.work(q) from unnest('{none,short,long}'::text[]) as q;
select tap.pass_time('90 s');
select symphony.purge();
select results_eq(
    $$select lane.queue_name, count(*) from symphony.message join symphony.lane using (lane_id) group by 1$$,
    $$values ('long', 20::bigint)$$,
    'what is kept for a short time is gone'
);
select results_eq(
    $$select q, f.arrived, f.claimed, f.completed from unnest('{none,short,long}'::text[]) as q,
             symphony.queue_figures(q) as f where f.begins_at = '2030-01-01 12:00:00+00'$$,
    $$values ('none', 20::bigint, 20::bigint, 20::bigint), ('short', 20, 20, 20), ('long', 20, 20, 20)$$,
    'the figures of the minute are the same'
);
select results_eq(
    $$select q, s.finished_last_hour, s.arrived_last_hour from unnest('{none,short,long}'::text[]) as q,
             symphony.queue_stats(q) as s$$,
    $$values ('none', 20::bigint, 20::bigint), ('short', 20, 20), ('long', 20, 20)$$,
    'and so is what queue_stats() says of the hour'
);
select results_eq(
    $$select distinct arrived, claimed, completed from symphony.queue_totals()
      where queue_name <> 'default'$$,
    $$values (20::bigint, 20::bigint, 20::bigint)$$,
    'and the totals are'
);

-- A claim that is over, and not folded, is not purged.
select pg_temp.work('long');
update symphony.queue set retention = '0' where queue_name = 'long';
select tap.elsewhere('fold', 'begin');
select tap.elsewhere('fold', $$select lane_id from symphony.tally where lane_id = (
    select lane_id from symphony.lane where queue_name = 'long' and priority = 5) for update$$);
select tap.advance_clock('1 s');
select symphony.purge();
select is(
    (select count(*) from symphony.message join symphony.lane using (lane_id) where queue_name = 'long'),
    10::bigint, 'a purge stops at what cannot be folded now'
);
select tap.elsewhere('fold', 'commit');
select symphony.purge();
select is(
    (select count(*) from symphony.message join symphony.lane using (lane_id) where queue_name = 'long'),
    0::bigint, 'later it does that by itself'
);
select is((select completed from symphony.queue_totals('long')), 30::bigint, 'nothing of it is lost');

-- Types.
select symphony.heartbeat('w', '{none,long}', work => '[
    {"queue_name": "none", "message_type": "A", "handled": 3, "failed": 1, "worked": [[4, 2], [9, 1]]},
    {"queue_name": "short", "message_type": "A", "handled": 9, "failed": 0, "worked": [[4, 9]]},
    {"queue_name": "long", "message_type": "B", "handled": 1, "failed": 0, "worked": [[6, 1]]}]');
select results_eq(
    'select queue_name, message_type, handled, failed from symphony.type_figures()',
    $$values ('long', 'B', 1::bigint, 0::bigint), ('none', 'A', 3, 1)$$,
    'what a worker tells counts for the queues that it consumes'
);
select tap.pass_time('70 s');
select is_empty('table symphony.work', 'the next fold takes it over');
select results_eq(
    $$select queue_name, message_type, handled, failed from symphony.type_figures(message_type => 'A')$$,
    $$values ('none', 'A', 3::bigint, 1::bigint)$$,
    'and it stays the same'
);
select results_eq(
    $$select handled from symphony.type_figures('long')$$, $$values (1::bigint)$$,
    'one queue may be asked for'
);

-- Seven days later, and ninety.
create temporary table minutes as select * from pg_temp.sums('none', 'hour');
select tap.advance_clock('7 days 2 hours');
select symphony.tick();
select is_empty($$select from symphony.figure where not is_hour$$, 'after 7 days minutes are gone');
select is_empty($$select from symphony.type_figure where not is_hour$$, 'those of types, too');
select results_eq(
    $$select arrived, claimed, completed, waited from pg_temp.sums('none', 'hour')$$,
    $$select arrived, claimed, completed, waited from minutes$$,
    'their hour says what they said'
);
select is_empty($$select * from symphony.queue_figures('none', since => '-infinity')$$,
                'a minute that is gone is not shown');
select results_eq(
    $$select handled, failed from symphony.type_figures('none', since => '-infinity', step => 'hour')$$,
    $$values (3::bigint, 1::bigint)$$,
    'so does the hour of a type'
);
select is((select completed from symphony.queue_totals('none')), 20::bigint, 'totals stay');
select tap.advance_clock('84 days');
select symphony.tick();
select is_empty('table symphony.figure', 'after 90 days hours are gone');
select is_empty('table symphony.type_figure', 'those of types, too');
select is((select completed from symphony.queue_totals('none')), 20::bigint, 'and totals stay');

-- A clock that is set back.
select pg_temp.work('none');
select tap.advance_clock('-1 day');
select symphony.tick();
select results_eq(
    $$select sum(f.completed), max(f.begins_at) <= symphony._now() from symphony.queue_figures('none') as f$$,
    $$values (10::numeric, true)$$,
    'what happened in a time that has not come yet counts for now'
);
select * from finish();
