-- tick: a transaction that stays open with it is named, and ended; nobody else can keep it from running.
select plan(13);

-- Somebody who may call nothing takes all advisory locks that there ever were.
create role sy_open_tick;
select tap.elsewhere('thief', 'set role sy_open_tick');
select tap.elsewhere('thief', format('select pg_advisory_lock(%s, %s)::text', first, second))
from generate_series(1398361425, 1398361430) as first, unnest(array[0, hashtext('default')]) as second;
set lock_timeout = '2s';

select is(symphony.tick() ->> 'ran', 'true', 'a tick runs whoever holds an advisory lock');
select lives_ok($$select symphony.idle('w', '{default}')$$, 'and a worker may sleep');
select lives_ok($$select symphony.busy('w')$$, 'and wake up');
select lives_ok($$select * from symphony.sync_schedules('shop', '[]')$$, 'and declare its schedules');
select lives_ok(
    $$select symphony.create_transport('t', queue_name => 'default')$$, 'and routes can be changed'
);
select is((select needed from symphony.rebase()), false, 'and positions be looked at');

-- A tick in a transaction that is not ended.
select symphony.enqueue('A', delay => '0.001 s');
select tap.elsewhere('open', $$set application_name = 'left open'$$);
select tap.elsewhere('open', 'begin');
select tap.elsewhere('open', 'select symphony.tick()');
select pg_sleep(0.01);
select is(symphony.tick() ->> 'ran', 'false', 'no other tick runs meanwhile');
select symphony.enqueue('B', delay => '0.001 s') as message_id \gset
select pg_sleep(0.01);
select matches(
    symphony.why_not_running(:message_id),
    'It has been due since .*, but symphony.tick\(\) is in the hands of pid \d+ \(role postgres, '
    'left open, idle in transaction for .*\)\.',
    'who has it open is named'
);
select is(
    tap.elsewhere('open', $$select current_setting('idle_in_transaction_session_timeout')$$), '10s',
    'its session ends when it is idle for 10 seconds'
);
select tap.elsewhere('open', 'rollback');
select is(symphony.tick() ->> 'ran', 'true', 'when it has ended, another one runs');

-- A session that says itself that it ends sooner does so.
select tap.elsewhere('open', $$set idle_in_transaction_session_timeout = '5s'$$);
select tap.elsewhere('open', 'begin');
select tap.elsewhere('open', 'select symphony.tick()');
select tap.elsewhere('open', 'select count(*)::text from symphony.claim_batch()');
select is(
    tap.elsewhere('open', $$select current_setting('idle_in_transaction_session_timeout')$$), '5s',
    'neither a tick nor a claim lets it stay open for longer'
);
select tap.elsewhere('open', 'rollback');

-- Who was last to have it may have crashed with the server, and the table is empty then.
truncate symphony.turn;
select is(symphony.tick() ->> 'ran', 'true', 'a turn is made when it is first taken');
select is(symphony.why_not_running(0) is not null, true, 'and nobody has it');

select tap.dblink_disconnect(session) from unnest('{thief,open}'::text[]) as session;
drop role sy_open_tick;
select * from finish();
