-- ack, nack_with_backoff, snooze, release: what was given back with a message is not in hands any more.
select plan(7);

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

select symphony.create_queue('q', ordered => true);
select pg_temp.put('a1 a2 a3 b1');
create temporary table c as
select claim_id, message_id, body #>> '{}' as name from symphony.claim_batch('{q}');
select is(pg_temp.fail('a1', '1 hour'), 'retry, returned a2 a3', 'two are given back');
select throws_ok(
    format('select symphony.%s from c where name = %L', call, name), 'SY013', null, call || ' is refused')
from (values ('ack(claim_id, array[message_id])', 'a2'), ('release(claim_id, array[message_id])', 'a3'),
             ('nack_with_backoff(claim_id, message_id, ''x'')', 'a2'),
             ('snooze(claim_id, message_id, ''1 s'')', 'a3')) as refused (call, name);
select is(pg_temp.done('b1'), 1::bigint, 'the other key is settled, and the claim with it');
select throws_ok(
    $$select symphony.ack(claim_id, array[message_id]) from c where name = 'a2'$$, 'SY013', null,
    'the answer is the same when the claim is over'
);

select * from finish();
