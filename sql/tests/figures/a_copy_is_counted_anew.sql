-- rebase: what was counted before a dump stays counted, and what is pending is counted anew.
select plan(7);

-- As a restore does: rows in new transactions, with the transaction ids of another server.
create function pg_temp.copy_here(further bigint) returns void language plpgsql as $$
begin
    update symphony.message set txid = txid + further;
    update symphony.claim set partial_txid = partial_txid + further,
        ahead = (select range_agg(int8range(lower(part) + further, upper(part) + further))
                 from unnest(ahead) as part);
    update symphony.tally set partial_txid = partial_txid + further,
        uncounted = (select range_agg(int8range(lower(part) + further, upper(part) + further))
                     from unnest(uncounted) as part);
    update symphony.stretch set from_txid = from_txid + further, to_txid = to_txid + further;
    update symphony.purge_position set txid = txid + further;
    delete from symphony.server_mark;
    insert into symphony.server_mark values (1), (2);
end $$;
create view pg_temp.state as
select s.pending, s.processing, t.arrived, t.claimed, t.completed
from symphony.queue_stats('default') as s, symphony.queue_totals('default') as t;

select count(*) from symphony.enqueue_batch((
    select jsonb_agg(jsonb_build_object('message_type', 'A')) from generate_series(1, 2500)));
select symphony.tick();
select symphony.ack(min(claim_id)) from symphony.claim_batch(batch_size => 700);
select count(*) from symphony.claim_batch(batch_size => 10, lease => '1 day');
update symphony.tick set fold_at = '-infinity';
select symphony.tick();
select results_eq(
    'table pg_temp.state', $$values (1790::bigint, 10::bigint, 2500::bigint, 710::bigint, 700::bigint)$$,
    'some of what came in is pending'
);
select pg_temp.copy_here(1000000);
select results_eq(
    'table pg_temp.state', $$values (1790::bigint, 10::bigint, 2500::bigint, 710::bigint, 700::bigint)$$,
    'a copy says the same'
);
select symphony.enqueue('B');
select isnt((select moved_by from symphony.rebase()), 0::bigint, 'rebase() moves it back');
select is_empty('table symphony.stretch', 'then nothing is counted');
select results_eq(
    'table pg_temp.state', $$values (1791::bigint, 10::bigint, 2501::bigint, 710::bigint, 700::bigint)$$,
    'a look counts it, and what was enqueued here before'
);
update symphony.tick set fold_at = '-infinity';
select symphony.tick();
select is((select sum(messages) from symphony.stretch), 1791::bigint, 'and so does a fold');
select results_eq(
    'table pg_temp.state', $$values (1791::bigint, 10::bigint, 2501::bigint, 710::bigint, 700::bigint)$$,
    'nothing came in twice'
);
select * from finish();
