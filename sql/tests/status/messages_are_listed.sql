-- list_messages: messages by what is known of them, newest first, a page and a look at a time.
select plan(27);

select symphony.create_queue('mail', retry_delay => '1 h'), symphony.create_queue('sms');
select symphony.enqueue('Failed', queue_name => 'mail');
select symphony.nack_with_backoff(claim_id, message_id, 'gone', 'X', false)
from symphony.claim_batch('{mail}');
select symphony.enqueue('Done', queue_name => 'mail');
select symphony.ack(claim_id) from symphony.claim_batch('{mail}');
select symphony.enqueue('Retried', queue_name => 'mail');
select symphony.nack_with_backoff(claim_id, message_id, 'not yet', 'X') from symphony.claim_batch('{mail}');
select symphony.enqueue('Running', queue_name => 'mail');
select count(*) from symphony.claim_batch('{mail}', worker => 'w');
select symphony.enqueue('Later', queue_name => 'mail', delay => '1 day');
select symphony.enqueue('Waits', queue_name => 'mail', group_key => 'g', idempotency_key => 'k');
select symphony.enqueue('Removed', queue_name => 'sms');
select symphony.purge_queue('sms');
select symphony.enqueue('Waits', queue_name => 'sms', headers => '{"correlation_id": "6"}');

create function pg_temp.types(variadic arguments text[]) returns text language plpgsql as $$
declare v text; begin
    execute format('select string_agg(type, '','' order by message_id desc) from symphony.list_messages(%s)',
                   array_to_string(arguments, ', ')) into v;
    return v;
end $$;
select is(pg_temp.types(''), 'Waits,Removed,Waits,Later,Running,Retried,Done,Failed', 'all, newest first');
select is(pg_temp.types(format('%L', state)), types, 'by state: ' || state)
from (values ('pending', 'Waits,Waits'), ('delayed', 'Later,Retried'), ('processing', 'Running'),
             ('completed', 'Done'), ('removed', 'Removed'), ('failed', 'Failed')) as s (state, types);
select is(pg_temp.types($$queue_name => 'sms'$$), 'Waits,Removed', 'by queue');
select is(pg_temp.types($$message_type => 'Waits'$$), 'Waits,Waits', 'by type');
select is(pg_temp.types($$'pending'$$, $$message_type => 'Waits'$$, $$queue_name => 'mail'$$), 'Waits',
    'by all');
select is(pg_temp.types($$since => now() + interval '1 h'$$), null, 'by age: not that young');
select is(pg_temp.types($$until => now() - interval '1 h'$$), null, 'by age: not that old');
select is(pg_temp.types($$idempotency_key => 'k'$$), 'Waits', 'by key');
select is(pg_temp.types($$group_key => 'g'$$), 'Waits', 'by group');
select is(pg_temp.types($$correlation_id => '6'$$), 'Waits,Waits',
    'by correlation: the first one and the others');
select results_eq(
    $$select last_error, worker, attempt, correlation
      from symphony.list_messages(message_type => 'Retried')$$,
    $$values ('not yet', null::text, 1, null::text)$$, 'what went wrong is told'
);
select is((select worker from symphony.list_messages('processing')), 'w', 'and who has it');

select symphony.create_queue('ordered', ordered => true);
select symphony.enqueue('Head', queue_name => 'ordered', group_key => 'a'),
       symphony.enqueue('Behind', queue_name => 'ordered', group_key => 'a');
select count(*) from symphony.claim_batch('{ordered}', 1);
select count(*) from symphony.claim_batch('{ordered}');    -- finds that its key is busy
select is(pg_temp.types($$'waiting'$$), 'Behind', 'by state: waiting for its key');
select is(pg_temp.types($$'pending'$$, $$queue_name => 'ordered'$$), null, 'which is not pending');
select is(pg_temp.types($$queue_name => 'ordered'$$), 'Behind,Head', 'and listed among all');
select symphony.drop_queue('ordered', true);

-- Pages.
select is(pg_temp.types('at_most => 3'), 'Waits,Removed,Waits', 'a page');
select is(pg_temp.types('at_most => 3', 'before_id => 6'), 'Later,Running,Retried', 'the page behind it');
select is_empty('select from symphony.list_messages() where message_id is null', 'the end is the end');
select results_eq(
    $$select message_id, more_before from symphony.list_messages(message_type => 'Failed', look_at => 3)$$,
    'values (null::bigint, 6::bigint)', 'a look that ends says from where to go on'
);
select is(pg_temp.types($$message_type => 'Failed'$$, 'look_at => 5', 'before_id => 6'), 'Failed',
    'and from there it goes on');
select is(
    (select array_agg(distinct more_before) from symphony.list_messages('pending', at_most => 1)),
    '{null}', 'a full page needs no such row'
);

-- Where a message is costs more than what it is.
select count(*) from symphony.enqueue_batch(
    (select jsonb_agg('{"message_type": "Many", "queue_name": "mail"}'::jsonb) from generate_series(1, 500)));
set track_functions = 'all';
create function pg_temp.asked() returns bigint language sql volatile as
    $$select coalesce(sum(calls), 0)::bigint from pg_stat_xact_user_functions
      where funcname = '_message_status'$$;
create temporary table before as select pg_temp.asked() as asked;
select count(*) from symphony.list_messages(queue_name => 'mail', at_most => 20);
select is(pg_temp.asked() - (select asked from before), 20::bigint,
    'no more are asked for their status than are listed');
select * from finish();
