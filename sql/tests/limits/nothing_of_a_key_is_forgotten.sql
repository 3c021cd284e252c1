-- cancel, purge_queue, drop_queue, purge: what waits for its key is dealt with as all that waits is.
select plan(25);

create function pg_temp.put(names text) returns void language sql as $$
    select symphony.enqueue('T', to_jsonb(name), 'q', group_key => left(name, 1))
    from unnest(string_to_array(names, ' ')) with ordinality as given (name, number) order by number
$$;
create function pg_temp.take(at_most integer default 10) returns text language sql as $$
    select coalesce(string_agg(body #>> '{}', ' '), 'none') from symphony.claim_batch('{q}', at_most, 'w')
$$;
create function pg_temp.names(ids bigint[]) returns text language sql as $$
    select coalesce(string_agg(body #>> '{}', ' ' order by number), 'none')
    from unnest(ids) with ordinality as given (id, number)
    join symphony.message on message_id = id
$$;
create function pg_temp.open(name text, out claim_id bigint, out message_id bigint) language sql as $$
    select claim.claim_id, message.message_id
    from symphony.claim, unnest(open_ids) as id
    join symphony.message on message.message_id = id
    where body #>> '{}' = name
$$;
create function pg_temp.done(names text) returns bigint language sql as $$
    select sum(symphony.ack(open.claim_id, array[open.message_id]))
    from unnest(string_to_array(names, ' ')) as name, pg_temp.open(name) as open
$$;
create function pg_temp.fail(name text, retry_after interval default '0 s', retryable boolean default true)
returns text language sql as $$
    select nacked.outcome || ', returned ' || pg_temp.names(nacked.returned)
    from pg_temp.open(name) as open,
         symphony.nack_with_backoff(open.claim_id, open.message_id, 'x', retryable => fail.retryable,
                                    retry_after => fail.retry_after) as nacked
$$;
create function pg_temp.id(name text) returns bigint language sql as $$
    select message_id from symphony.message where body #>> '{}' = name
    union all select message_id from symphony.delayed_message where body #>> '{}' = name
    union all select message_id from symphony.failed_message where body #>> '{}' = name
$$;
create function pg_temp.state(names text) returns text language sql as $$
    select string_agg(status, ' ' order by number)
    from unnest(string_to_array(names, ' ')) with ordinality as given (name, number)
    left join lateral symphony.message_status(pg_temp.id(name)) on true
$$;

select symphony.create_queue('q', ordered => true, retention => '1 hour');

-- cancel
select pg_temp.put('a1 a2 a3 a4');
select is(pg_temp.take(1), 'a1', 'the first is in hands');
select is(pg_temp.take(), 'none', 'the others are passed');
select ok(symphony.cancel(pg_temp.id('a2')), 'what waits can be cancelled');
select is(pg_temp.state('a3'), 'waiting', 'the others wait on');
select is(pg_temp.fail('a1', '1 hour'), 'retry, returned none', 'the head is delayed');
select ok(symphony.cancel(pg_temp.id('a1')), 'and can be cancelled');
select is(pg_temp.take(1), 'a3', 'which lets its key go');
select is(pg_temp.fail('a3'), 'retry, returned none', 'another head is pending');
select is(pg_temp.take(1) || ', ' || pg_temp.fail('a3'), 'a3, retry, returned none', 'again');
select ok(symphony.cancel(pg_temp.id('a3')), 'it can be cancelled, too');
select is(pg_temp.take(), 'a4', 'and the next one follows');

-- purge
select tap.pass_time('90 seconds');
select is(pg_temp.state('a4'), 'pending', 'its lease is over meanwhile');
select is(pg_temp.take(), 'a4', 'it comes back');
select pg_temp.put('b1 b2');
select is(pg_temp.take(1), 'b1', 'a key is in hands');
select pg_temp.put('c1');
select is(pg_temp.take(), 'c1', 'what follows is passed, and newer ones are done');
select is(pg_temp.done('a4 c1'), 2::bigint, 'completely');
select symphony.configure_queue('q', lease => '1 day');
select symphony.extend_lease(array_agg(claim_id)) from pg_temp.open('b1');
select tap.pass_time('10 minutes');
select symphony.configure_queue('q', retention => '1 minute');
select symphony.purge();
select is(pg_temp.state('b2'), 'waiting', 'nothing is purged that waits, whatever else is over');
select is(pg_temp.done('b1'), 1::bigint, 'the head is done');
select is(pg_temp.take(), 'b2', 'it is handed out in the end');
select is(pg_temp.done('b2'), 1::bigint, 'and done');

-- purge_queue, drop_queue
select pg_temp.put('d1 d2 d3 e1');
select is(pg_temp.take(1), 'd1', 'some are in hands');
select is(pg_temp.take(), 'e1', 'some wait');
select is(pg_temp.fail('e1'), 'retry, returned none', 'and one holds its key');
select pg_temp.put('e2');
select symphony.purge_queue('q');
select is(
    (select count(*) from symphony.parked) + (select count(*) from symphony.held_key), 0::bigint,
    'purge_queue drops all of them'
);
select pg_temp.put('d4');
select pg_temp.take();
select symphony.drop_queue('q', force => true);
select is(
    (select count(*) from symphony.parked) + (select count(*) from symphony.gate)
    + (select count(*) from symphony.freed_key), 0::bigint,
    'drop_queue leaves nothing behind'
);

select * from finish();
