-- Words for tests of keys: messages of queue q are known by a name, and their key is its first letter.

-- put enqueues them; take claims and returns their names; open finds one in its claim; done acks some;
-- fail nacks one and tells what becomes of it; id and state look for them wherever they are.
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
