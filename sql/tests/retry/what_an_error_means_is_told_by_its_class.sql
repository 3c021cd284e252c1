-- set_retry_policy, nack_with_backoff: an error is permanent, retried, retried after a wait, or snoozed.
-- The call says which, else the type, else *.  A class goes before those it derives from.
select plan(32);

select tap.set_clock('2030-01-01 12:00:00+00');
select symphony.create_queue('q', max_attempts => 3, retry_delay => '1 s', retry_jitter => 0,
                             max_snooze => '1 day');
select symphony.set_retry_policy('*', permanent_errors => '{ValueError,Both}', transient_errors => '{BaseOk}',
    retry_after_errors => '{"Throttled": "5 minutes", "Limit": 90}', snooze_errors => '{"Closed": "1 hour"}');
select symphony.set_retry_policy(
    'orders.*',
    permanent_errors   => '{TypePermanent,BaseOk}',
    transient_errors   => '{Both,shop.ValueError}',
    retry_after_errors => '{"Closed": "2 minutes"}',
    snooze_errors      => '{"Throttled": "3 minutes", "shop.Later": "0 s"}'
);

create function pg_temp.outcome_of(
    type text, class text, bases text[] default null,
    retryable boolean default null, retry_after interval default null
)
returns text language plpgsql as $$
declare
    v record;
    n record;
begin
    perform tap.elsewhere(format('select symphony.enqueue(%L, queue_name => %L)', type, 'q'));
    select * into v from symphony.claim_batch('{q}', 1);
    select * into n
    from symphony.nack_with_backoff(v.claim_id, v.message_id, 'oops', class, outcome_of.retryable,
                                    outcome_of.retry_after, error_bases => bases);
    return concat_ws(
        ' ', n.outcome, extract(epoch from n.available_at - symphony._now())::integer, 'attempt',
        coalesce((select attempt from symphony.delayed_message as d where d.message_id = v.message_id),
                 (select attempt from symphony.failed_message as f where f.message_id = v.message_id)));
end $$;

-- Each kind at the level *.
select is(
    pg_temp.outcome_of('A', 'shop.Other'),
    'retry 1 attempt 1', 'what is not named is retried as usual'
);
select is(pg_temp.outcome_of('A', null), 'retry 1 attempt 1', 'what has no class is retried as usual');
select is(pg_temp.outcome_of('A', 'ValueError'), 'failed attempt 1', '* says: permanent');
select is(
    pg_temp.outcome_of('A', 'shop.ValueError'),
    'failed attempt 1', 'the part after the last dot counts, too'
);
select is(
    pg_temp.outcome_of('A', 'BaseOk', '{ValueError}'),
    'retry 1 attempt 1', '* says: retried, although what it derives from is permanent'
);
select is(pg_temp.outcome_of('A', 'Throttled'), 'retry 300 attempt 1', '* says: retried after a wait');
select is(pg_temp.outcome_of('A', 'Limit'), 'retry 90 attempt 1', 'a number is seconds');
select is(
    pg_temp.outcome_of('A', 'Closed'),
    'snoozed 3600 attempt 0', '* says: snoozed, and no attempt is used'
);

-- Each kind at the level of the type, which goes before *.
select is(pg_temp.outcome_of('orders.new', 'TypePermanent'), 'failed attempt 1', 'the type says: permanent');
select is(
    pg_temp.outcome_of('orders.new', 'BaseOk'),
    'failed attempt 1', 'the type says: permanent, although * says: retried'
);
select is(
    pg_temp.outcome_of('orders.new', 'Both'),
    'retry 1 attempt 1', 'the type says: retried, although * says: permanent'
);
select is(
    pg_temp.outcome_of('orders.new', 'Closed'),
    'retry 120 attempt 1', 'the type says: after a wait, although * says: snoozed'
);
select is(
    pg_temp.outcome_of('orders.new', 'Throttled'),
    'snoozed 180 attempt 0', 'the type says: snoozed, although * says: after a wait'
);
select is(
    pg_temp.outcome_of('orders.new', 'ValueError'),
    'failed attempt 1', '* counts for what the type does not name'
);
select is(
    pg_temp.outcome_of('orders.new', 'shop.ValueError'),
    'retry 1 attempt 1', 'the full name at the type goes before the short one at *'
);
select is(
    pg_temp.outcome_of('A', 'TypePermanent'),
    'retry 1 attempt 1', 'the lists of a type do not count for others'
);

-- Classes that a class derives from.
select is(
    pg_temp.outcome_of('A', 'shop.Mine', '{ValueError,Exception}'),
    'failed attempt 1', 'what a class derives from counts'
);
select is(
    pg_temp.outcome_of('A', 'shop.Mine', '{shop.Closed,ValueError}'),
    'snoozed 3600 attempt 0', 'the nearest class counts first'
);
select is(
    pg_temp.outcome_of('A', 'shop.Mine', '{ValueError,shop.Closed}'),
    'failed attempt 1', 'classes count in the order given'
);
select is(
    pg_temp.outcome_of('A', 'Closed', '{ValueError}'),
    'snoozed 3600 attempt 0', 'the class itself counts before them'
);
select is(
    pg_temp.outcome_of('orders.new', 'Closed', '{TypePermanent}'),
    'retry 120 attempt 1', 'the class itself counts first at the type, too'
);
select is(
    pg_temp.outcome_of('orders.new', 'ValueError', '{Both}'),
    'retry 1 attempt 1', 'a level goes before a distance'
);
select is(
    pg_temp.outcome_of('A', null, '{ValueError}'),
    'failed attempt 1', 'an error without a class is one of those it derives from'
);

-- The call, which goes before both.
select is(
    pg_temp.outcome_of('A', 'ValueError', retryable => true),
    'retry 1 attempt 1', 'the call says: retried'
);
select is(
    pg_temp.outcome_of('A', 'Closed', retryable => false),
    'failed attempt 1', 'the call says: permanent'
);
select is(
    pg_temp.outcome_of('A', 'ValueError', retry_after => '7 s'),
    'retry 7 attempt 1', 'the call says: after a wait'
);
select is(
    pg_temp.outcome_of('A', 'Throttled', retryable => true),
    'retry 1 attempt 1', 'the call goes before all lists'
);

-- A snooze has an end, and an error without secrets.
select symphony.enqueue('A', queue_name => 'q') as id \gset
select claim_id from symphony.claim_batch('{q}');
select results_eq(
    format($$select outcome, available_at, last_error
             from symphony.nack_with_backoff(tap.newest_claim(), %s, 'token=hunter2', 'Closed')$$, :id),
    $$values ('snoozed', '2030-01-01 13:00+00'::timestamptz, 'token=[redacted]')$$,
    'what is kept of the error is returned'
);
select alike(
    symphony.why_not_running(:id),
    'It waits until 2030-01-01 13:00%token=[redacted]%', 'the sentence tells what the message waits for'
);
select tap.advance_clock('1 day');
select symphony.tick();
select max(claim_id) from symphony.claim_batch('{q}', 1000);
select results_eq(
    format($$select outcome, available_at, last_error
             from symphony.nack_with_backoff(tap.newest_claim(), %s, 'bank: token=hunter2', 'Closed')$$, :id),
    $$values ('failed', null::timestamptz, 'put off for longer than 1 day: bank: token=[redacted]')$$,
    'the message has failed after max_snooze'
);
select results_eq(
    $$select reason, error_class from symphony.failed_messages('q', message_type => 'A', search => 'bank')$$,
    $$values ('expired', 'SnoozeExpired')$$,
    'it has failed for that reason'
);

-- What is said is shown.
select results_eq(
    $$select setting, value, level, source
      from symphony.retry_policy_of('orders.new', 'q') where setting like '%errors' order by setting$$,
    $$values ('permanent_errors', '{TypePermanent,BaseOk}', 'type', 'orders.*'),
             ('retry_after_errors', '{"Closed": "2 minutes"}', 'type', 'orders.*'),
             ('snooze_errors', '{"Throttled": "3 minutes", "shop.Later": "0 s"}', 'type', 'orders.*'),
             ('transient_errors', '{Both,shop.ValueError}', 'type', 'orders.*')$$,
    'the lists of the type are shown'
);
select * from finish();
