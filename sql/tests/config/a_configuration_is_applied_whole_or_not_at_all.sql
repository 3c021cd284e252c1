-- apply_config: it shows what it changes, and changes it in one go.  The second time it changes nothing.
select plan(19);

select symphony.create_queue('old'), symphony.create_transport('old', queue_name => 'old'),
       symphony.set_routes('Old', '["old"]'), symphony.set_retry_policy('Old', max_attempts => 2);
create temporary table config (config jsonb);
insert into config values ('{
    "queues": {
        "mail": {"lease": "60 s", "max_attempts": 9}
    },
    "transports": {
        "email": {"type": "postgres", "queue": "mail", "priority": 7},
        "async": {"queue": "async"},
        "here": {"type": "sync"}
    },
    "routing": {
        "SendEmail": ["email"],
        "orders.*": ["async", {"transport": "email", "handler": "audit"}],
        "*": "async"
    },
    "retry": {
        "*": {"max_attempts": 4, "delay": "1 s", "permanent_errors": ["ValueError"]},
        "SendEmail": {"max_attempts": 6}
    }
}');
create temporary view wanted as
select kind, name, change
from (values
    (1, 'queue', 'async', 'create'),
    (2, 'queue', 'mail', 'create'),
    (3, 'transport', 'async', 'create'),
    (4, 'transport', 'email', 'create'),
    (5, 'transport', 'here', 'create'),
    (6, 'transport', 'old', 'remove'),
    (7, 'route', '*', 'create'),
    (8, 'route', 'Old', 'remove'),
    (9, 'route', 'SendEmail', 'create'),
    (10, 'route', 'orders.*', 'create'),
    (11, 'retry', '*', 'change'),
    (12, 'retry', 'Old', 'remove'),
    (13, 'retry', 'SendEmail', 'create')
) as v (n, kind, name, change)
order by n;

create temporary table before as select symphony._config() as config;
select results_eq(
    $$select d.kind, d.name, d.change from config, symphony.apply_config(config, dry_run => true) as d$$,
    'select * from wanted',
    'a dry run shows each difference'
);
select is(symphony._config(), config, 'a dry run changes nothing') from before;
select results_eq(
    $$select d.kind, d.name, d.change from config, symphony.apply_config(config) as d$$,
    'select * from wanted',
    'apply_config() does what the dry run said'
);
select is_empty(
    $$select d.* from config, symphony.apply_config(config) as d$$,
    'nothing is left to do the second time'
);
select results_eq(
    $$select queue_name, priority, handler_name from symphony.route_of('orders.created')$$,
    $$values ('async', 5, null), ('mail', 7, 'audit')$$,
    'the routes are there'
);
select results_eq(
    $$select max_attempts, kind
      from symphony._retry_rule('SendEmail', 'mail', null),
           symphony._error_rule('SendEmail', '{ValueError}')$$,
    $$values (6, 'permanent')$$,
    'the policies are there'
);
select is(
    (select lease from symphony.queue where queue_name = 'mail'),
    '60 s'::interval, 'the settings of queues are there'
);
select ok(
    exists (select from symphony.queue where queue_name = 'old'),
    'a queue is never removed, since it may hold messages'
);

select results_eq(
    $$select d.*
      from config, symphony.apply_config(jsonb_set(config, '{transports,email,priority}', '8')) as d$$,
    $$values ('transport', 'email', 'change',
              '{"type": "postgres", "queue": "mail", "config": {}, "enabled": true, "priority": 7}'::jsonb,
              '{"type": "postgres", "queue": "mail", "config": {}, "enabled": true, "priority": 8}'::jsonb)$$,
    'a difference tells old and new'
);
select is_empty($$select * from symphony.apply_config('{}')$$, 'what has no key stays as it is');
select results_eq(
    $$select kind, name, change from symphony.apply_config('{"routing": {"*": ["async"]}}')$$,
    $$values ('route', 'SendEmail', 'remove'), ('route', 'orders.*', 'remove')$$,
    'what has a key is just as it says'
);

select symphony.disable_transport('email');
select lives_ok($$select symphony.apply_config(config) from config$$, 'the configuration is applied again');
select is(
    (select enabled from symphony.transport where transport_name = 'email'),
    false, 'a transport that somebody disabled stays disabled'
);
select lives_ok(
    $$select symphony.apply_config(jsonb_set(config, '{transports,email,enabled}', 'true')) from config$$,
    'the configuration says that it is enabled'
);
select is(
    (select enabled from symphony.transport where transport_name = 'email'),
    true, 'then it is enabled'
);
select is((select count(*) from symphony.lane where is_held), 0::bigint, 'it holds nothing');

update before set config = symphony._config();
select throws_ok(
    $$select symphony.apply_config('{
          "transports": {"email": {"queue": "new"}, "async": {"queue": "async"}},
          "routing": {"A": ["nope"]}
      }')$$,
    'SY020', null, 'a route to an unknown transport is refused'
);
select throws_ok(
    $$select symphony.apply_config('{"queues": {"new": {}}, "retry": {"A": {"jitter": 7}}}')$$,
    '22023', null, 'a mistake in a retry policy is refused'
);
select is(symphony._config(), config, 'a mistake leaves everything as it was') from before;
select * from finish();
