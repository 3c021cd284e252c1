-- release: a message given back keeps its lane, its attempts and its data, and queues up at the end.
select plan(12);

select tap.set_clock('2030-01-01 12:00:00+00');
create function pg_temp.claim(size integer) returns text language sql as $$
    select string_agg(message_id || ':' || attempt, ' ') from symphony.claim_batch(batch_size => size)
$$;

select symphony.enqueue('A', jsonb_build_object('n', i), group_key => 'g', headers => '{"h": 1}')
from generate_series(1, 4) as i;
select is(pg_temp.claim(2), '1:1 2:1', 'a claim holds two of four messages');
select is(symphony.release(tap.newest_claim()), 2, 'both are given back');
select is(pg_temp.claim(10), '3:1 4:1 1:1 2:1', 'they come after the others, in their first attempt still');
select is(
    (select count(distinct (body ->> 'n', group_key, headers)) from symphony.message),
    4::bigint, 'they have all their data'
);
select is(symphony.release(tap.newest_claim(), '{4,4,1}'), 2, 'an id given twice counts once');
select is(
    (select open_ids from symphony.claim where claim_id = tap.newest_claim()),
    '{3,2}', 'the rest stays open'
);
begin;
select symphony.release(tap.newest_claim());
rollback;
select is(
    (select open_ids from symphony.claim where claim_id = tap.newest_claim()),
    '{3,2}', 'a release that is rolled back did not happen'
);

-- A priority is kept, and so is being alone.
select symphony.enqueue('A', priority => 9);
select is(pg_temp.claim(10), '5:1', 'a message of priority 9');
select symphony.release(tap.newest_claim());
select is(pg_temp.claim(10), '5:1', 'is of priority 9 when it comes back');
select tap.advance_clock('31 s');
select symphony.tick();
select is(pg_temp.claim(10), '5:2', 'its worker vanished');
select symphony.release(tap.newest_claim());
select is(pg_temp.claim(10), '5:2', 'a message that is claimed alone goes back alone');
select symphony.release(tap.newest_claim());
create temporary table claimed as select i, pg_temp.claim(10) as what from generate_series(1, 4) as i;
select results_eq(
    'select what from claimed order by i',
    $$values ('5:2'), ('2:2'), ('3:2'), ('1:1 4:1')$$,
    'suspects come one by one, and only then a batch'
);
select * from finish();
