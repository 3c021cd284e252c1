-- enqueue_batch: it takes its keys in one order, and its messages keep theirs.
select plan(6);

select symphony.create_queue('q');
select symphony.create_queue('audit');
create function pg_temp.batch(keys text, type text default 'A', queue text default 'q')
returns setof bigint
language sql
as $$
    select symphony.enqueue_batch(jsonb_agg(
        jsonb_build_object('message_type', type, 'idempotency_key', key, 'body', key)
        || case when queue is null then '{}' else jsonb_build_object('queue_name', queue) end
        order by place))
    from unnest(string_to_array(keys, ' ')) with ordinality as k (key, place)
$$;

create temporary table first_batch as
select id, place from pg_temp.batch('c a b a') with ordinality as given (id, place);
select results_eq(
    'select rank() over (order by id) from first_batch order by place',
    array[1::bigint, 2, 4, 2],
    'the results are in the order of the array, and a key that comes twice has one message'
);
select results_eq(
    $$select body #>> '{}' from symphony.claim_batch('{q}')$$,
    '{c,a,b}'::text[], 'the messages are handed out in the order of the array'
);
select results_eq(
    $$select (select place from first_batch where id = given limit 1)
      from pg_temp.batch('b x a c') as given$$,
    array[3::bigint, null, 2, 1], 'keys in use stand for the messages that have them'
);

-- Where the types lead.
select symphony.create_transport('q', queue_name => 'q');
select symphony.create_transport('audit', queue_name => 'audit');
select symphony.set_routes('Simple', '["audit"]'), symphony.set_routes('Twice', '["q", "audit"]');
select is(
    (select count(distinct id) from (
         select pg_temp.batch('s t', 'Simple', null) as id union all
         select pg_temp.batch('t s', 'Simple', null)) as sent),
    2::bigint, 'the key of a type with one route is taken where the route leads'
);
select is(
    (select count(distinct id) from (
         select pg_temp.batch('u v', 'Twice', null) as id union all
         select pg_temp.batch('v u', 'Twice', null)) as sent),
    2::bigint, 'the key of a type with two routes stands for both deliveries'
);
select results_eq(
    $$select queue_name, message_type, count(*)
      from symphony.pending_message where message_type <> 'A' group by 1, 2 order by 1, 2$$,
    $$values ('audit', 'Simple', 2::bigint), ('audit', 'Twice', 2), ('q', 'Twice', 2)$$,
    'each message is enqueued once where it should be'
);
select * from finish();
