-- tick: it folds at most some 10,000 claims and 100,000 messages in one call, and goes on in the next.
-- Runs alone: it is big.
select plan(8);

insert into symphony.message (enqueued_at, lane_id, message_type, body, headers)
select now(), lane_id, 'A', '{}', '{}'
from symphony.lane, generate_series(1, 150500)
where queue_name = 'default' and priority = 5;
create view pg_temp.counted as select sum(messages) as messages from symphony.stretch;

select results_eq(
    'select pending, arrived_last_hour, at_least, why_at_least from symphony.queue_stats()',
    $$values (10000::bigint, 10000::bigint, '{pending}'::text[],
              'What came since the start is not counted: nothing calls symphony.tick(): start a worker or a '
              'cron job for it.')$$,
    'a look counts no more than 10,000, and says why'
);
select symphony.tick();
select is((select messages from pg_temp.counted), 100000::bigint, 'one tick counts 100,000');
select results_eq(
    $$select pending, at_least, why_at_least from symphony.queue_stats()$$,
    $$values (110000::bigint, '{pending}'::text[],
              'tick() counts once a minute, or sooner where there is much, and more than is counted at a '
              'look came since.')$$,
    'until all is counted, it is at least so much'
);
select is_empty('select from symphony.figure', 'no figure is made of what is counted in part');
select symphony.tick();
select is((select messages from pg_temp.counted), 150500::bigint, 'the next one goes on where it was');
select results_eq(
    'select pending, at_least from symphony.queue_stats()', $$values (150500::bigint, '{}'::text[])$$,
    'then all is known'
);
select is((select sum(arrived) from symphony.figure), 150500::bigint, 'and all came in');

insert into symphony.claim (claimed_at, lease_until, finished_at, lane_id, size, passed, ahead, open_ids)
select now() - interval '1 minute', now(), now(), p.lane_id, 1, 0, p.ahead, '{}'
from (select lane.lane_id, p.ahead from symphony.lane, symphony._position(lane.lane_id) as p
      where queue_name = 'default' and priority = 5) as p, generate_series(1, 7000);
create temporary table n as
select 1 as number, symphony.tick() as told, 0::bigint as claimed where false;
update symphony.tick set fold_at = '-infinity';
select symphony.tick();
insert into n select 1, null, claimed from symphony.tally where claimed > 0;
update symphony.tick set fold_at = '-infinity';
select symphony.tick();
insert into n select 2, null, claimed from symphony.tally where claimed > 0;
select results_eq('select claimed from n order by number', $$values (5000::bigint), (7000)$$,
                  'of the claims of a lane, 5,000');
select * from finish();
