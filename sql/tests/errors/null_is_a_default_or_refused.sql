-- Every function takes null for any argument: as a default, as nothing, or with an error of ours.
-- What reaches a table is right.
select plan(3);

create temporary table call (name text, arguments text[]);
insert into call values
    ('enqueue', array['A', '{}', 'default', '5', '0 s', null, 'k', 'g', '{}', '{}', '1 s', null, 'fail',
                      'keep', '1 s']),
    ('enqueue_batch', array['[]']),
    ('claim_batch', array['{default}', '1', 'w', '1 s', 'true', '1']),
    ('ack', array['1', '{1}']),
    ('nack_with_backoff', array['1', '1', 'x', 'X', 'true', '1 s', 'tb']),
    ('snooze', array['1', '1', '1 s', null, 'why']),
    ('extend_lease', array['{1}', '1 s']),
    ('release', array['1', '{1}']),
    ('release_unheard', array['w', '1', '1']),
    ('cancel', array['1']),
    ('run_message_now', array['1']),
    ('message_status', array['1']),
    ('why_not_running', array['1']),
    ('queue_stats', array['default']),
    ('queue_figures', array['default', 'yesterday', 'tomorrow', 'hour']),
    ('queue_totals', array['default']),
    ('figures_by_minute', array['10']),
    ('type_figures', array['default', 'A', 'yesterday', 'tomorrow', 'hour']),
    ('health', array['0.1.0']),
    ('waiting_types', array['{default}']),
    ('blocked_keys', array['default', '10']),
    ('release_key', array['default', 'k']),
    ('failed_messages', array['default', 'A', 'X', 'yesterday', 'tomorrow', 'x', 'tomorrow', '1', '10']),
    ('failed_stats', array['default', 'A', 'X', 'yesterday', 'tomorrow', 'x', '10']),
    ('message_history', array['1']),
    ('retry_failed', array['{1}', null, null, null, null, null, null, '{}', '1', 'false', 'false', '10',
                           null]),
    ('retry_failed', array[null, 'default', 'A', 'X', 'yesterday', 'tomorrow', 'x', null, '1',
                           'false', 'false', '10', '9']),
    ('remove_failed', array['{1}', null, null, null, null, null, null, 'false', 'false', '10', null]),
    ('remove_failed', array[null, 'default', 'A', 'X', 'yesterday', 'tomorrow', 'x', 'true', 'false', '10',
                            '9']),
    ('create_queue', array['q', '1', '1 s', '2', '1 s', '0', '1 s', '1 s', '1000', '1 s', '1 s', '1 s',
                           'true', '1', '1', 'hold', '1/1 s', '1', '1/1 s']),
    ('configure_queue', array['q', '1', '1 s', '2', '1 s', '0', '1 s', '1 s', '1000', '1 s', '1 s', '1 s',
                           'true', '1', '1', 'hold', '1/1 s', '1', '1/1 s']),
    ('pause_queue', array['q']),
    ('resume_queue', array['q']),
    ('purge_preview', array['q']),
    ('purge_queue', array['q', null]),
    ('purge', array['10']),
    ('tick', array['true']),
    ('drop_queue', array['q', 'false']),
    ('heartbeat', array['w', '{default}', '{}', '[]']),
    ('idle', array['w', '{default}']),
    ('clock_changes', array['UTC', '2027-01-01Z', '2027-02-01Z']),
    ('busy', array['w']),
    ('stop_worker', array['w']),
    ('create_transport', array['t', 'postgres', 'default', '5', '{}']),
    ('create_transport', array['b', 'rabbitmq', 'b', '5', '{}']),
    ('first_receipt', array['b', '1']),
    ('return_delivery', array['b', '1', 'A', '{}', '{}', '1', 'x', '1', 'X', 'true', '1 s', 'tb', '{Y}',
                              'true', 'g', '5', 'yesterday', 'w']),
    ('enable_transport', array['t']),
    ('disable_transport', array['t']),
    ('set_routes', array['A', '["t"]']),
    ('route_of', array['A', 't']),
    ('reserve_message_ids', array['1']),
    ('sync_handlers', array['A', '{a,b}']),
    ('remove_handler', array['A', 'a']),
    ('set_retry_policy', array['A', '1', '1 s', '2', '1 s', '0', '{X}']),
    ('retry_policy_of', array['A', 'default', '{}']),
    ('remove_retry_policy', array['A', 'default']),
    ('apply_config', array['{"routing": {"*": ["t"]}}', 'true']),
    ('remove_transport', array['t']),
    ('request_workers', array['stop', '{w}', 'default']),
    ('list_messages', array['pending', 'default', 'A', 'yesterday', 'tomorrow', 'k', 'g', '1', '9', '9',
                            '9']),
    ('recent_errors', array['yesterday', 'default', 'A', 'X', '10']),
    ('queue_settings', array['default']),
    ('queue_holds', array['default']),
    ('audit', array['pause_queue', 'ops', 'ada', 'yesterday', 'tomorrow', 'q', '1', '10']),
    ('note', array['here']),
    ('grant_access', array['sy_nobody', 'producer', '{default}']),
    ('revoke_access', array['sy_nobody', 'producer']);

select is_empty(
    $$select p.proname
      from pg_proc as p join symphony._access_list() as list on list.function_name = p.proname
      where p.pronamespace = 'symphony'::regnamespace
        and p.pronargs > 0
        and p.prokind = 'f'
        and p.proname !~ 'cron|schedule'
      except select name
      from call$$,
    'every function is called'
);

-- Each call with one argument null after another, and with all of them null.
create temporary table call_with_null as
select format('select * from symphony.%s(%s)', call.name, (
           select string_agg(case when i = n or n = 0 or a is null then 'null' else quote_literal(a) end,
                             ', ' order by i)
           from unnest(call.arguments) with ordinality as u (a, i))) as statement
from call, generate_series(0, cardinality(call.arguments)) as n;
create temporary table outcome as
select statement, coalesce(code, 'none') as code
from call_with_null, tap.error_of(statement);
select is_empty(
    $$select statement, code
      from outcome where code not in ('none', '22023', '42704') and code not like 'SY%'$$,
    'no null leads to an error that is not ours'
);
select is_empty($$select * from symphony.check()$$, 'no null leads to a broken invariant');
select * from finish();
