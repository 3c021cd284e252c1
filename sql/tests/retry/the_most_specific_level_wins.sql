-- enqueue(retry), set_retry_policy, configure_queue, retry_policy_of: the call, the type, the queue and * say
-- how a message is retried, in this order.
select plan(34);

select symphony.create_queue('mail');
create function pg_temp.level(what text, retry jsonb default null) returns text language sql as $$
    select concat_ws(' ', value, level, source) from symphony.retry_policy_of('orders.created', 'mail', retry)
    where setting = what
$$;
create function pg_temp.run(call text) returns void language plpgsql as $$ begin execute call; end $$;
create temporary table setting (
    setting text, queue_setting text, default_value text,
    base text, queue text, grp text, type text, call jsonb
);
insert into setting values
    ('max_attempts', 'max_attempts', '4', '10', '11', '12', '13', '14'),
    ('delay', 'retry_delay', '00:00:01', '00:00:10', '00:00:11', '00:00:12', '00:00:13', '14'),
    ('multiplier', 'retry_multiplier', '2', '10', '11', '12', '13', '14'),
    ('max_delay', 'retry_max_delay', '00:00:30', '00:00:10', '00:00:11', '00:00:12', '00:00:13', '"14 s"'),
    ('jitter', 'retry_jitter', '0.1', '0.2', '0.3', '0.4', '0.5', '0.6');

select is(
    pg_temp.level(setting),
    default_value || ' default *', setting || ' is at first that of the policy *'
)
from setting;
select pg_temp.run(format('select symphony.set_retry_policy(%L, %s)',
                          '*', string_agg(format('%I => %L', setting, base), ', ')))
from setting;
select is(pg_temp.level(setting), base || ' default *', 'the policy * counts') from setting;
select pg_temp.run(format('select symphony.configure_queue(%L, %I => %L)', 'mail', queue_setting, queue))
from setting;
select is(pg_temp.level(setting), queue || ' queue mail', 'the queue beats *') from setting;
select pg_temp.run(format('select symphony.set_retry_policy(%L, %s)',
                          'orders.*', string_agg(format('%I => %L', setting, grp), ', ')))
from setting;
select is(pg_temp.level(setting), grp || ' type orders.*', 'the group beats the queue') from setting;
select pg_temp.run(format('select symphony.set_retry_policy(%L, %s)',
                          'orders.created', string_agg(format('%I => %L', setting, type), ', ')))
from setting;
select is(pg_temp.level(setting), type || ' type orders.created', 'the type beats the group') from setting;
select matches(
    pg_temp.level(setting, jsonb_build_object(setting, call)),
    '^(14|00:00:14|0.6) call$', 'the call beats all: ' || setting
)
from setting;

-- Each value by itself.
select symphony.set_retry_policy('*'), symphony.set_retry_policy('orders.created', max_attempts => 9);
select is(
    (select array_agg(level order by setting)
     from symphony.retry_policy_of('orders.created', 'mail', '{"jitter": 0}')
     where setting not like '%errors'),
    '{queue,call,type,queue,queue}', 'each value comes from the first level that has it'
);
select is(
    array[symphony.remove_retry_policy(queue_name => 'mail'), symphony.remove_retry_policy('orders.*'),
          symphony.remove_retry_policy('orders.created'), symphony.remove_retry_policy('orders.created'),
          symphony.remove_retry_policy('*')],
    '{t,t,t,f,t}', 'a level can be taken away'
);
select is(pg_temp.level('max_attempts'), '4 default *', 'the next level counts then');
select is(
    (select value from symphony.retry_policy_of('A') where setting = 'max_attempts'),
    '4', 'the queue may be left out'
);
select * from finish();
