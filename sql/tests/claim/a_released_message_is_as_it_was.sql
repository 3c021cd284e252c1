-- release: a message given back keeps its lane, its attempts and its data, and queues up at the end.
select plan(12);

create table public.clock (now_at timestamptz);
insert into public.clock values ('2030-01-01 12:00:00+00');
create or replace function symphony._now() returns timestamptz language sql volatile as 'select now_at from public.clock';
create function pg_temp.claim(size integer) returns text language sql as $$
    select string_agg(message_id || ':' || attempt, ' ') from symphony.claim_batch(batch_size => size)
$$;
create function pg_temp.newest() returns bigint language sql as 'select max(claim_id) from symphony.claim where size > 0';

select symphony.enqueue('A', jsonb_build_object('n', i), group_key => 'g', headers => '{"h": 1}') from generate_series(1, 4) as i;
select is(pg_temp.claim(2), '1:1 2:1', 'two of four');
select is(symphony.release(pg_temp.newest()), 2, 'are given back');
select is(pg_temp.claim(10), '3:1 4:1 1:1 2:1', 'they come after the others, in their first attempt still');
select is((select count(distinct (body ->> 'n', group_key, headers)) from symphony.message), 4::bigint, 'with all their data');
select is(symphony.release(pg_temp.newest(), '{4,4,1}'), 2, 'an id given twice counts once');
select is((select open_ids from symphony.claim where claim_id = pg_temp.newest()), '{3,2}', 'the rest stays open');
begin;
select symphony.release(pg_temp.newest());
rollback;
select is((select open_ids from symphony.claim where claim_id = pg_temp.newest()), '{3,2}', 'a release that is rolled back did not happen');

-- A priority is kept, and so is being alone.
select symphony.enqueue('A', priority => 9);
select is(pg_temp.claim(10), '5:1', 'a message of priority 9');
select symphony.release(pg_temp.newest());
select is(pg_temp.claim(10), '5:1', 'is of priority 9 when it comes back');
update public.clock set now_at = now_at + interval '31 s';
select symphony.tick();
select is(pg_temp.claim(10), '5:2', 'its worker vanished');
select symphony.release(pg_temp.newest());
select is(pg_temp.claim(10), '5:2', 'and one that is claimed alone goes back alone');
select symphony.release(pg_temp.newest());
create temporary table claimed as select i, pg_temp.claim(10) as what from generate_series(1, 4) as i;
select results_eq('select what from claimed order by i', $$values ('5:2'), ('2:2'), ('3:2'), ('1:1 4:1')$$,
    'suspects come one by one, and only then a batch');
select * from finish();
