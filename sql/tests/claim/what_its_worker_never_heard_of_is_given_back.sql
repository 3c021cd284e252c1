-- release_unheard: a claim whose answer was lost is given back, and nothing else is.
select plan(11);

select tap.set_clock('2030-01-01 12:00:00+00');
create function pg_temp.claim(worker text) returns text language sql as $$
    select string_agg(message_id || ':' || attempt, ' ')
    from symphony.claim_batch(batch_size => 2, worker => worker)
$$;
create function pg_temp.held(worker text) returns bigint[] language sql as $$
    select array_agg(id order by id)
    from symphony.claim, unnest(open_ids) as id where claim.worker = held.worker
$$;

select symphony.enqueue('A') from generate_series(1, 10);
select is(pg_temp.claim('w'), '1:1 2:1', 'a worker has a claim');
create temporary table known as select tap.newest_claim() as claim_id;
select is(symphony.release_unheard('w', claim_id), 0, 'and knows of it') from known;
select is(
    array[pg_temp.claim('w'), pg_temp.claim('other'), pg_temp.claim('w')],
    '{3:1 4:1,5:1 6:1,7:1 8:1}', 'the answer to its second claim is lost; it claims again'
);
select is(symphony.release_unheard('w', claim_id, tap.newest_claim()), 2, 'the lost one is given back')
from known;
select is(pg_temp.held('w'), '{1,2,7,8}', 'it holds what it knows of');
select is(pg_temp.held('other'), '{5,6}', 'and another worker what it held');
select is(symphony.release_unheard('w', claim_id, tap.newest_claim()), 0, 'a second call finds nothing')
from known;
select is(
    array[pg_temp.claim('other'), pg_temp.claim('other')], '{9:1 10:1,3:1 4:1}',
    'what was given back is claimed again, in its first attempt'
);
select tap.advance_clock('31 s');
select is(symphony.release_unheard('w', 0), 0, 'what is held no longer is left to the tick');
select symphony.tick();
select is(pg_temp.held('w'), null, 'which takes it back');
select is(symphony.release_unheard(null, null, null), 0, 'nobody has nothing');
select * from finish();
