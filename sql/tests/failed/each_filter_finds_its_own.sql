-- failed_messages, failed_stats, retry_failed, remove_failed: each filter, page and group finds its own.
select plan(40);

select tap.set_clock('2030-01-01 12:00:00+00');
create procedure pg_temp.dead(queue text, type text, class text, error text, body jsonb default '{}')
language plpgsql as $$
declare v record;
begin
    perform symphony.enqueue(type, body, queue);
    commit;
    select * into v from symphony.claim_batch(array[queue]);
    perform symphony.nack_with_backoff(v.claim_id, v.message_id, error, class, retryable => false);
    commit;
    perform tap.advance_clock('1 minute');
end $$;
create function pg_temp.ids(
    queue_name text default null, message_type text default null, error_class text default null,
    since timestamptz default null, until timestamptz default null, search text default null
)
returns bigint[] language sql as $$
    select array_agg(f.message_id)
    from symphony.failed_messages(queue_name, message_type, error_class, since, until, search) as f
$$;

select symphony.create_queue('a');
select symphony.create_queue('b');
call pg_temp.dead('a', 'Mail', 'SmtpError', 'SmtpError: 451 Try again', '{"to": "Ada"}');    -- 1, 12:00
call pg_temp.dead('a', 'Mail', 'SmtpError', 'SmtpError: 550 no such user', '{"to": "bob"}'); -- 2, 12:01
call pg_temp.dead('b', 'Mail', 'KeyError', 'KeyError: to');                                  -- 3, 12:02
call pg_temp.dead('b', 'Bill', null, 'it broke', '{"n": 100}');                              -- 4, 12:03
call pg_temp.dead('a', 'Bill', 'KeyError', 'KeyError: n');                                   -- 5, 12:04

select is(pg_temp.ids(), '{5,4,3,2,1}', 'all are found, the newest first, across queues');
select is(pg_temp.ids('a'), '{5,2,1}', 'a queue finds its own');
select is(pg_temp.ids(message_type => 'Mail'), '{3,2,1}', 'a type finds its own');
select is(pg_temp.ids(error_class => 'KeyError'), '{5,3}', 'a class of errors finds its own');
select is(pg_temp.ids(error_class => ''), '{4}', 'an empty class finds those without one');
select is(pg_temp.ids(since => '2030-01-01 12:03+00'), '{5,4}', 'since includes its time');
select is(pg_temp.ids(until => '2030-01-01 12:01+00'), '{2,1}', 'until includes its time');
select is(
    pg_temp.ids(since => '2030-01-01 12:01+00', until => '2030-01-01 12:03+00', queue_name => 'b'),
    '{4,3}', 'filters add up'
);
select is(pg_temp.ids(search => 'TRY again'), '{1}', 'a search finds a text in the error, in any case');
select is(pg_temp.ids(search => '"ada"'), '{1}', 'a search finds a text in the body');
select is(pg_temp.ids(search => '%'), null, 'no character of a search is special');
select is(pg_temp.ids('b', 'Mail', 'SmtpError'), null, 'filters that exclude each other find nothing');

select is(
    (select array_agg(message_id) from symphony.failed_messages(at_most => 2)),
    '{5,4}', 'a page is as long as wished'
);
select is(
    (select array_agg(message_id)
     from symphony.failed_messages(before_at => '2030-01-01 12:03+00', before_id => 4, at_most => 2)),
    '{3,2}', 'the next one begins behind its last row'
);
update symphony.failed_message set failed_at = '2030-01-01 12:03+00' where message_id in (3, 5);
select is(
    (select array_agg(message_id)
     from symphony.failed_messages(before_at => '2030-01-01 12:03+00', before_id => 5)),
    '{4,3,2,1}', 'the next page begins there also among those of one moment'
);
select is(
    (select array_agg(message_id)
     from symphony.failed_messages(before_at => '2030-01-01 12:03+00', before_id => 3)),
    '{2,1}', 'each row is on one page'
);
select is(
    (select array_agg(message_id)
     from symphony.failed_messages('a', before_at => '2030-01-01 12:00+00', before_id => 1)),
    null, 'the last page is empty'
);

select results_eq(
    $$select queue_name, message_type, error_class, messages, oldest_at, newest_at, example_id, example_error
      from symphony.failed_stats() limit 2$$,
    $$values ('a', 'Mail', 'SmtpError', 2::bigint, '2030-01-01 12:00+00'::timestamptz,
              '2030-01-01 12:01+00'::timestamptz, 2::bigint, 'SmtpError: 550 no such user'),
             ('a', 'Bill', 'KeyError', 1, '2030-01-01 12:03+00', '2030-01-01 12:03+00', 5, 'KeyError: n')$$,
    'groups come with the largest first'
);
select is(
    (select array_agg(example_id) from symphony.failed_stats(error_class => 'KeyError')),
    '{5,3}', 'groups count those that are looked for'
);

-- The same filters choose what is replayed and removed.
select results_eq(
    $$select * from symphony.retry_failed(error_class => 'KeyError', dry_run => true)$$,
    $$values (null::bigint, 'retried', 2::bigint)$$,
    'a dry run counts'
);
select results_eq(
    $$select * from symphony.remove_failed(search => 'nothing', dry_run => true)$$,
    $$values (null::bigint, 'removed', 0::bigint)$$,
    'a dry run counts nothing, too'
);
select results_eq(
    $$select * from symphony.remove_failed('{4,9}', dry_run => true)$$,
    $$values (4::bigint, 'removed', 1::bigint), (9, 'unknown', 0)$$,
    'a dry run says what becomes of each id'
);
select is(pg_temp.ids(), '{5,4,3,2,1}', 'a dry run changes nothing');
select is(
    (select array_agg(messages) from symphony.retry_failed(up_to_id => 3, dry_run => true)),
    '{3}', 'an upper id is a filter, and includes its own'
);
select is(
    (select array_agg(messages)
     from symphony.remove_failed(message_type => 'Bill', up_to_id => 4, dry_run => true)),
    '{1}', 'it adds up with the others'
);
select throws_ok(
    $$select symphony.retry_failed(everything => true, up_to_id => 3)$$,
    '22023', null, 'it is not everything then'
);
begin;
update symphony.failed_message set failed_at = '2030-01-01 11:00+00' where message_id in (4, 5);
select results_eq(
    $$select messages from symphony.retry_failed(until => '2030-01-01 12:03+00', up_to_id => 3)$$,
    $$values (3::bigint)$$,
    'what has a later id is left, however early it failed'
);
select is(pg_temp.ids(), '{5,4}', 'and nothing else is');
select results_eq(
    $$select messages from symphony.remove_failed(until => '2030-01-01 12:03+00', up_to_id => 4)$$,
    $$values (1::bigint)$$,
    'the same is removed'
);
rollback;
select throws_ok(
    $$select symphony.retry_failed(everything => false)$$,
    '22023', null, 'everything must be meant'
);
select results_eq(
    $$select * from symphony.retry_failed(queue_name => 'a', at_most => 2)$$,
    $$values (null::bigint, 'retried', 2::bigint)$$,
    'at_most is a limit'
);
select is(pg_temp.ids(), '{5,4,3}', 'the oldest go first');
select results_eq(
    $$select * from symphony.remove_failed(error_class => '')$$,
    $$values (null::bigint, 'removed', 1::bigint)$$,
    'a filter removes'
);
select results_eq(
    $$select * from symphony.remove_failed('{5,4,1}')$$,
    $$values (5::bigint, 'removed', 1::bigint), (4, 'unknown', 0), (1, 'pending', 0)$$,
    'ids remove one by one'
);
select is(
    (select array_agg(distinct message_id order by message_id) from symphony.attempt),
    '{1,2,3}', 'their history is gone'
);
select results_eq(
    $$select messages from symphony.retry_failed(everything => true, dry_run => true)$$,
    $$values (1::bigint)$$,
    'everything stands for what is left'
);
select results_eq(
    $$select messages from symphony.retry_failed(everything => true)$$,
    $$values (1::bigint)$$,
    'it is replayed'
);
select results_eq(
    $$select messages from symphony.remove_failed(everything => true)$$,
    $$values (0::bigint)$$,
    'nothing is left'
);

-- Kept for as long as the queue says, which is for ever unless it says otherwise.
call pg_temp.dead('a', 'Old', 'X', 'x');
call pg_temp.dead('b', 'Old', 'X', 'x');
select symphony.configure_queue('a', failed_retention => '1 day');
select tap.advance_clock('2 days');
select is(symphony.tick() ->> 'purged', '1', 'a failed message is purged after failed_retention');
select is(
    (select array_agg(queue_name) from symphony.failed_messages()),
    '{b}', 'a queue without failed_retention keeps its own'
);
select * from finish();
