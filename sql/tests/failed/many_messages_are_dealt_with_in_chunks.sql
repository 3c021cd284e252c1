-- retry_many_failed, remove_many_failed: any number of messages, each chunk in a transaction of its own.
select plan(25);

select symphony.create_queue('q');
select symphony.create_queue('other');
create procedure pg_temp.fail_pending()
language plpgsql as $$
begin
    perform symphony.nack_with_backoff(c.claim_id, c.message_id, 'it broke', 'Boom', false)
    from symphony.claim_batch('{q,other}', 1000) as c;
    commit;
end $$;
create procedure pg_temp.fail_new(number integer, queue text default 'q')
language plpgsql as $$
begin
    perform symphony.enqueue('A', '{}', queue) from generate_series(1, number);
    commit;
    call pg_temp.fail_pending();
end $$;
create function pg_temp.retried(out messages bigint, out transactions bigint)
language sql as $$
    select count(*), count(distinct xmin::text) from symphony.replay
$$;

call pg_temp.fail_new(7);
call symphony.retry_many_failed(everything => true, chunk => 2);
select results_eq(
    $$select * from pg_temp.retried()$$, $$values (7::bigint, 4::bigint)$$,
    'each chunk is committed'
);
select is(count(*), 0::bigint, 'all of them are brought back') from symphony.failed_messages();

-- What is brought back fails again before the next chunk.
truncate symphony.replay;
call pg_temp.fail_pending();
alter function symphony.retry_failed rename to retry_failed_as_it_is;
create function symphony.retry_failed(
    message_ids bigint[], queue_name text, message_type text, error_class text, since timestamptz,
    until timestamptz, search text, body jsonb default null, per_second double precision default null,
    dry_run boolean default false, everything boolean default false, at_most integer default 10000
)
returns table (message_id bigint, outcome text, messages bigint)
language plpgsql as $$
begin
    perform symphony.nack_with_backoff(c.claim_id, c.message_id, 'it broke', 'Boom', false)
    from symphony.claim_batch('{q}', 1000) as c;
    return query select * from symphony.retry_failed_as_it_is(
        message_ids, queue_name, message_type, error_class, since, until, search, body, per_second,
        dry_run, everything, at_most);
end $$;
call symphony.retry_many_failed(everything => true, chunk => 2);
select results_eq(
    $$select * from pg_temp.retried()$$, $$values (7::bigint, 4::bigint)$$,
    'what fails again meanwhile is not taken twice'
);
call pg_temp.fail_pending();
truncate symphony.replay;
call symphony.retry_many_failed(queue_name => 'q', chunk => 3);
select results_eq(
    $$select * from pg_temp.retried()$$, $$values (7::bigint, 3::bigint)$$, 'nor with a filter'
);
call pg_temp.fail_pending();
drop function symphony.retry_failed(
    bigint[], text, text, text, timestamptz, timestamptz, text, jsonb, double precision, boolean,
    boolean, integer);
alter function symphony.retry_failed_as_it_is rename to retry_failed;

-- A bounded step, for who cannot call a procedure.
truncate symphony.replay;
select max(newest_at) as until from symphony.failed_stats() \gset
select is(messages, 5::bigint, 'retry_failed() does a step')
from symphony.retry_failed(until => :'until', at_most => 5);
call pg_temp.fail_pending();
select is(messages, 2::bigint, 'the next step takes the others, and not what failed again')
from symphony.retry_failed(until => :'until', at_most => 5);
call pg_temp.fail_pending();

-- How many.
call symphony.retry_many_failed(everything => true, at_most => 5, chunk => 2, messages => 77) \gset
select is(:messages, 5, 'at_most is the number in all');
call symphony.retry_many_failed(everything => true, at_most => 2, chunk => 2) \gset
select is(:messages, 2, 'at_most may be that of one chunk');
call symphony.retry_many_failed(everything => true) \gset
select is(:messages, 0, 'there is nothing more to do');
call pg_temp.fail_pending();
call symphony.retry_many_failed(error_class => 'Boom', per_second => 0.001, chunk => 4) \gset
select is(:messages, 7, 'they may come back one after the other');
select is(delayed, 7::bigint, 'then they are delayed') from symphony.queue_stats('q');

-- Which.
call pg_temp.fail_new(3);
call pg_temp.fail_new(2, 'other');
call symphony.remove_many_failed(queue_name => 'other', chunk => 1) \gset
select is(:messages, 2, 'remove_many_failed() removes what the filter means');
select is(count(*), 3::bigint, 'and nothing else') from symphony.failed_messages();
call symphony.remove_many_failed(everything => true, at_most => 2, chunk => 1) \gset
select is(:messages, 2, 'at_most is the number in all here, too');
call symphony.remove_many_failed(until => '2000-01-01') \gset
select is(:messages, 0, 'until is a filter');
call symphony.remove_many_failed(since => '2000-01-01', search => 'BROKE') \gset
select is(:messages, 1, 'filters add up');

-- What is refused.
select is(
    (select array_agg(error.code order by given) from unnest(array[
        '()', '(everything => null)', '(everything => true, queue_name => ''q'')',
        '(everything => true, chunk => 0)', '(everything => true, at_most => 0)',
        '(everything => true, at_most => 2000000, chunk => 2000000)',
        '(everything => true, per_second => 0)']) as given,
        tap.error_of('call symphony.retry_many_failed' || given) as error),
    array_fill('22023'::text, array[7]), 'retry_failed() refuses what is not clear'
);
select is(
    (select array_agg(error.code order by given) from unnest(array[
        '()', '(everything => null)', '(everything => true, queue_name => ''q'')',
        '(everything => true, chunk => null)']) as given,
        tap.error_of('call symphony.remove_many_failed' || given) as error),
    array_fill('22023'::text, array[4]), 'so does remove_failed()'
);
select throws_ok(
    $$call symphony.remove_many_failed(queue_name => 'nowhere')$$, 'SY001', null,
    'an unknown queue is refused'
);
call pg_temp.fail_new(1);
select throws_ok(
    $$call symphony.retry_many_failed(everything => true)$$, '2D000', null,
    'it cannot commit in the transaction of another'
);
select is(count(*), 1::bigint, 'then it does nothing') from symphony.failed_messages();

-- Who: it does what its caller may do, and no more.
call pg_temp.fail_new(2);
create role sy_test_many;
select symphony.grant_access('sy_test_many', 'operator');
create schema evil;
grant usage on schema evil, tap to sy_test_many;
create function evil.lie(bigint, bigint) returns boolean language sql as $$ select true $$;
create function evil.lie(bigint, integer) returns boolean language sql as $$ select true $$;
create operator evil.< (function = evil.lie, leftarg = bigint, rightarg = bigint);
create operator evil.= (function = evil.lie, leftarg = bigint, rightarg = integer);
set role sy_test_many;
set search_path = evil, pg_catalog;
call symphony.retry_many_failed(everything => true, chunk => 1) \gset
reset search_path;
reset role;
select is(:messages, 3, 'an operator may call it, and the operators of others are not used');
select symphony.revoke_access('sy_test_many', 'operator');
set role sy_test_many;
select * from tap.error_of('call symphony.remove_many_failed(everything => true)') \gset
reset role;
select is(:'code'::text, '42501', 'nobody else may');
drop owned by sy_test_many;
drop role sy_test_many;

-- A dry run counts all of them.
call pg_temp.fail_pending();
call symphony.remove_many_failed(everything => true);
call pg_temp.fail_new(1);
insert into symphony.failed_message
select (jsonb_populate_record(f, jsonb_build_object('message_id', f.message_id + n))).*
from symphony.failed_message as f, generate_series(1, 24999) as n;
select is(messages, 25000::bigint, 'a dry run of retry_failed() counts all that a filter means')
from symphony.retry_failed(queue_name => 'q', dry_run => true);
select is(messages, 25000::bigint, 'so does one of remove_failed()')
from symphony.remove_failed(everything => true, dry_run => true);
call symphony.remove_many_failed(everything => true);

select * from finish();
