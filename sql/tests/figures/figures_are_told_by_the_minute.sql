-- figures_by_minute: what queue_figures() tells, with a number for each minute, in much less time.
select plan(6);

select tap.set_clock('2030-01-01 12:00:10+00');
select symphony.create_queue('q');
create procedure pg_temp.work(messages integer) language plpgsql as $$
begin
    perform count(*) from symphony.enqueue_batch((
        select jsonb_agg('{"message_type": "A", "queue_name": "q"}'::jsonb)
        from generate_series(1, messages)));
    commit;
    perform symphony.ack(min(claim_id)) from symphony.claim_batch('{q}', messages);
    commit;
    perform tap.pass_time('1 minute');
end $$;
call pg_temp.work(3);
select symphony.tick();
call pg_temp.work(1);
select tap.pass_time('1 minute');
call pg_temp.work(4);
select symphony.enqueue('A', queue_name => 'q') from generate_series(1, 2);
select symphony.nack_with_backoff(claim_id, message_id, 'no', retryable => false)
from symphony.claim_batch('{q}', 1);
select count(*) from symphony.claim_batch('{q}');

select results_eq(
    'select queue_name, claimed from symphony.figures_by_minute(6)',
    $$values ('default', '{0,0,0,0,0,0}'::bigint[]), ('q', '{0,3,1,0,4,2}')$$,
    'each queue, each minute, the present one last, folded or not'
);
select is(
    (select claimed from symphony.figures_by_minute(2) where queue_name = 'q'), '{4,2}', 'so many minutes'
);
select results_eq(
    $$select m.at, n.arrived, n.claimed, n.failed
      from symphony.figures_by_minute() as c,
           unnest(c.arrived, c.claimed, c.failed) with ordinality as n (arrived, claimed, failed, place),
           lateral (select date_trunc('minute', symphony._now()) - (60 - place) * interval '1 min'
                           as at) as m
      where c.queue_name = 'q' and (n.arrived > 0 or n.claimed > 0 or n.failed > 0)$$,
    $$select begins_at, arrived, claimed, failed from symphony.queue_figures('q')
      where arrived > 0 or claimed > 0 or failed > 0$$,
    'as queue_figures() tells it'
);
select is(
    (select array_agg(distinct cardinality(claimed)) from symphony.figures_by_minute()), '{60}', 'an hour'
);
update symphony.tick set fold_at = '-infinity';
select symphony.tick(purge => false);
select is(
    (select claimed from symphony.figures_by_minute(6) where queue_name = 'q'), '{0,3,1,0,4,2}',
    'a fold changes nothing'
);
select symphony.create_queue('new');
select is((select claimed from symphony.figures_by_minute(1) where queue_name = 'new'), '{0}',
    'nothing is told as nothing');
select * from finish();
