-- _first_run, _drained: a claim takes messages out of some transactions, in order, and drains some of these.
select plan(8);

select is(symphony._first_run('{[3,9)}', null), '[3,9)'::int8range, 'one run is taken as a whole');
select is(
    symphony._first_run('{[3,9)}', 3),
    '[3,9)'::int8range, 'a transaction that was begun goes on with what follows it'
);
select is(
    symphony._first_run('{[3,5),[7,9)}', null),
    '[3,5)'::int8range, 'the first of several runs is taken'
);
select is(
    symphony._first_run('{[3,9)}', 5),
    '[5,6)'::int8range, 'a transaction that was begun goes alone, before those that ended late'
);

-- A trial is a set of the transactions 1 to 5 that are free to take, with 0 to 2 messages each, any of them
-- begun before, and a size of a batch.  What was handed out before the last transaction of a full batch is
-- drained.
create temporary table trial as
select take, partial_txid, counts, batch_size, symphony._first_run(take, partial_txid) as first_run
from (
    select (select range_agg(int8range(t, t, '[]')) from generate_series(1::bigint, 5) as t
            where members >> (t - 1)::integer & 1 = 1) as take, members
    from generate_series(1, 31) as members
) as sets,
(values
    ('{1,1,1,1,1}'::integer[]),
    ('{2,2,2,2,2}'),
    ('{0,1,2,0,1}'),
    ('{2,0,1,2,0}'),
    ('{0,0,0,0,0}')
) as c (counts),
generate_series(0, 5) as begun,
lateral (select nullif(begun, 0)::bigint as partial_txid) as p,
generate_series(1, 4) as batch_size
where partial_txid is null or partial_txid <@ take;

create temporary table outcome as
select trial.*, last_txid, symphony._drained(take, first_run, last_txid) as drained,
       coalesce((select range_agg(int8range(t, t, '[]')) from generate_series(1::bigint, 5) as t
                 where t <@ take
                   and (last_txid is null
                        or (t <@ first_run) > (last_txid <@ first_run)
                        or (t <@ first_run) = (last_txid <@ first_run) and t < last_txid)),
                '{}') as expected
from trial,
lateral (
    select (array_agg(t order by not t <@ first_run, t))[batch_size] as last_txid
    from generate_series(1::bigint, 5) as t, generate_series(1, counts[t::integer]) as m
    where t <@ take
) as last;

select cmp_ok((select count(*) from outcome), '>', 1000::bigint, 'there are more than a thousand cases');
select is_empty(
    'select * from outcome where drained <> expected',
    'exactly what was handed out is drained in each'
);
select is_empty(
    'select * from outcome where last_txid <@ drained',
    'the transaction of the last message of a full batch is still ahead'
);
select is_empty(
    $$select *
      from outcome
      where not first_run <@ take or partial_txid is not null and lower(first_run) <> partial_txid$$,
    'the first run is one of those to take, and begins with the one begun before'
);
select * from finish();
