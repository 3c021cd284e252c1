-- claimed_by_minute: what queue_figures() tells of claims, with a number for each minute, in much less time.
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
select count(*) from symphony.enqueue('A', queue_name => 'q');
select count(*) from symphony.claim_batch('{q}');

select results_eq(
    'select queue_name, claimed from symphony.claimed_by_minute(6)',
    $$values ('default', '{0,0,0,0,0,0}'::bigint[]), ('q', '{0,3,1,0,4,1}')$$,
    'each queue, each minute, the present one last, folded or not'
);
select is(
    (select claimed from symphony.claimed_by_minute(2) where queue_name = 'q'), '{4,1}', 'so many minutes'
);
select results_eq(
    $$select m.at, m.claimed
      from symphony.claimed_by_minute() as c,
           unnest(c.claimed) with ordinality as n (claimed, place),
           lateral (select date_trunc('minute', symphony._now()) - (60 - place) * interval '1 min' as at,
                           n.claimed) as m
      where c.queue_name = 'q' and n.claimed > 0$$,
    $$select begins_at, claimed from symphony.queue_figures('q') where claimed > 0$$,
    'as queue_figures() tells it'
);
select is(
    (select array_agg(distinct cardinality(claimed)) from symphony.claimed_by_minute()), '{60}', 'an hour'
);
update symphony.tick set fold_at = '-infinity';
select symphony.tick(purge => false);
select is(
    (select claimed from symphony.claimed_by_minute(6) where queue_name = 'q'), '{0,3,1,0,4,1}',
    'a fold changes nothing'
);
select symphony.create_queue('new');
select is((select claimed from symphony.claimed_by_minute(1) where queue_name = 'new'), '{0}',
    'nothing is told as nothing');
select * from finish();
