-- claim_batch, nack_with_backoff, tick: the retry settings of a call go with the message.  Those of its type
-- are looked up.
select plan(23);

select symphony.create_queue('q', max_attempts => 3, retry_delay => '1 s', retry_jitter => 0);
create temporary table c (
    claim_id bigint, message_id bigint, message_type text, max_attempts integer, attempt integer
);
create function pg_temp.claim() returns void language sql as $$
    truncate c;
    insert into c
    select claim_id, message_id, message_type, max_attempts, attempt from symphony.claim_batch('{q}', 100)
$$;
create function pg_temp.wait() returns interval language sql as $$
    select available_at - c.claimed_at from symphony.delayed_message, symphony.claim as c
    order by claim_id desc limit 1
$$;
create function pg_temp.due() returns void language sql as $$
    update symphony.delayed_message set available_at = clock_timestamp() - interval '1 ms';
    select symphony.tick();
$$;

select symphony.enqueue(t, queue_name => 'q', retry => r::jsonb)
from (values
    ('A', null),
    ('A', '{"max_attempts": 7}'),
    ('B', null),
    ('B', '{"max_attempts": 8}'),
    ('B', '{}')
) as v (t, r);
select symphony.set_retry_policy('B', max_attempts => 5);
select pg_temp.claim();
select results_eq(
    $$select message_type, max_attempts from c order by message_id$$,
    $$values ('A', 3), ('A', 7), ('B', 5), ('B', 8), ('B', 5)$$,
    'claim_batch tells the attempts of each message'
);
select symphony.ack(max(claim_id)) from c;

-- Delay, multiplier and cap of the call.
select symphony.enqueue('A', queue_name => 'q', retry => '{
    "max_attempts": 4, "delay": 10, "multiplier": 3, "max_delay": "60 s", "jitter": 0
}') as id \gset
create function pg_temp.fail(error_class text default null, retryable boolean default null) returns text
language sql volatile as $$
    select concat_ws(' ', outcome, round(extract(epoch from n.available_at - symphony._now()))::integer)
    from c, symphony.nack_with_backoff(c.claim_id, c.message_id, 'x', fail.error_class, fail.retryable) as n
$$;
select pg_temp.claim();
select is(pg_temp.fail(), 'retry 10', 'the first wait is that of the call');
select is((select retry ->> 'delay' from symphony.delayed_message), '10', 'a delayed message keeps it');
select pg_temp.due();
select pg_temp.claim();
select is(
    (select retry ->> 'delay' from symphony.message where message_id = :id),
    '10', 'a promoted message keeps it, too'
);
select is(pg_temp.fail(), 'retry 30', 'the wait grows by its multiplier');
select pg_temp.due();
select pg_temp.claim();
select is(pg_temp.fail(), 'retry 60', 'the wait grows up to its cap');
select pg_temp.due();
select pg_temp.claim();
select is((select symphony.release(claim_id) from c), 1, 'the message is released');
select pg_temp.claim();
select is((select max_attempts from c), 4, 'a released message has as many attempts as before');
select is(pg_temp.fail(), 'failed', 'its last attempt is the last one');
select is(
    (select retry ->> 'delay' from symphony.failed_message),
    '10', 'a dead message keeps the settings, too'
);

-- A crash counts by the same rule.
select symphony.enqueue('A', queue_name => 'q', retry => '{"max_attempts": 1}') as one,
       symphony.enqueue('A', queue_name => 'q') as many \gset
select pg_temp.claim();
update symphony.claim set lease_until = clock_timestamp() - interval '1 ms'
where claim_id = (select max(claim_id) from c);
select symphony.tick();
select is(
    (select status from symphony.message_status(:one)),
    'failed', 'the message with one attempt is dead after a crash'
);
select is((select status from symphony.message_status(:many)), 'pending', 'its neighbour comes back');
select symphony.purge_queue('q');

-- Classes of errors that no retry can cure.
select symphony.set_retry_policy('A', permanent_errors => '{ValueError,shop.Refused}'),
       symphony.set_retry_policy('*', permanent_errors => '{Never}');
create temporary table error (class text, retryable boolean, outcome text);
insert into error values
    ('ValueError', null, 'failed'),
    ('builtins.ValueError', null, 'failed'),
    ('shop.Refused', null, 'failed'),
    ('Never', null, 'failed'),
    ('Refused', null, 'retry'),
    ('other.Refused', null, 'retry'),
    ('ValueErrors', null, 'retry'),
    (null, null, 'retry'),
    ('KeyError', false, 'failed'),
    ('ValueError', true, 'retry');
create function pg_temp.outcome_of(error error) returns text language plpgsql as $$
begin
    perform tap.elsewhere($x$select symphony.enqueue('A', queue_name => 'q')$x$);
    perform pg_temp.claim();
    return split_part(pg_temp.fail(error.class, error.retryable), ' ', 1);
end $$;
select is(
    pg_temp.outcome_of(error),
    outcome,
    format('%s, retryable %s: %s', coalesce(class, '(none)'), coalesce(retryable::text, 'null'), outcome)
)
from error;
select is(
    (select count(*)
     from symphony.failed_message
     where error_class in ('ValueError', 'builtins.ValueError', 'shop.Refused', 'Never', 'KeyError')
       and reason = 'permanent'),
    5::bigint, 'they failed for the reason permanent'
);
select * from finish();
