-- list_transports, list_routes, list_retry_policies: all that is set is listed, in order.
select plan(8);

select is_empty($$select * from symphony.list_transports()$$, 'no transport is there at first');
select is_empty($$select * from symphony.list_routes()$$, 'no route is there at first');
select results_eq(
    $$select pattern, max_attempts, delay, permanent_errors from symphony.list_retry_policies()$$,
    $$values ('*', 4, interval '1 s', '{}'::text[])$$,
    'a default for retries is there at first'
);

select symphony.create_queue('mail');
select symphony.create_transport('mail', queue_name => 'mail', priority => 7, config => '{"a": 1}'),
       symphony.create_transport('async'), symphony.create_transport('here', 'sync');
select symphony.set_routes('orders.*', '["mail", {"transport": "async", "handler": "audit"}, "here"]'),
       symphony.set_routes('*', '["async"]'), symphony.set_routes('send', '["mail"]');
select symphony.disable_transport('mail');
select results_eq(
    $$select transport_name, transport_type, queue_name, priority, enabled, patterns, config
      from symphony.list_transports()$$,
    $$values ('async', 'postgres', 'default', 5, true, '{*,orders.*}'::text[], '{}'::jsonb),
             ('here', 'sync', null, null, true, '{orders.*}', '{}'),
             ('mail', 'postgres', 'mail', 7, false, '{orders.*,send}', '{"a": 1}')$$,
    'transports come by name, with what leads to them'
);
select cmp_ok(
    updated_at,
    '<=', clock_timestamp(), 'transports tell since when they are so'
)
from symphony.list_transports() limit 1;
select results_eq(
    $$select * from symphony.list_routes()$$,
    $$values ('orders.*', 'mail', null, 'postgres', 'mail', 7, false),
             ('orders.*', 'async', 'audit', 'postgres', 'default', 5, true),
             ('orders.*', 'here', null, 'sync', null, null, true),
             ('send', 'mail', null, 'postgres', 'mail', 7, false),
             ('*', 'async', null, 'postgres', 'default', 5, true)$$,
    'routes come by pattern, in the order of the deliveries, with * last'
);

select symphony.set_retry_policy('send', max_attempts => 7, delay => '2 s',
                                 permanent_errors => '{Refused}', snooze_errors => '{"Closed": 60}');
select results_eq(
    $$select * from symphony.list_retry_policies() limit 1$$,
    $$values ('send', 7, interval '2 s', null::double precision, null::interval, null::double precision,
              '{Refused}'::text[], '{}'::text[], '{}'::jsonb, '{"Closed": 60}'::jsonb)$$,
    'a policy shows only what it says'
);
select is(
    (select array_agg(pattern) from symphony.list_retry_policies()),
    '{send,*}', 'the default comes last'
);
select * from finish();
