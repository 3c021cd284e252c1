-- purge_preview, purge_queue: what came after somebody has looked stays.
select plan(17);

create function pg_temp.pending() returns bigint
language sql as $$ select pending from symphony.queue_stats('q') $$;

select symphony.create_queue('q');
select is(
    (select format('%s %s', messages, at_least) from symphony.purge_preview('q')),
    '0 f', 'an empty queue has nothing to drop'
);
select symphony.enqueue('A', queue_name => 'q', priority => n % 3, idempotency_key => 'a' || n)
from generate_series(1, 10) as n;
select symphony.enqueue('Later', queue_name => 'q', delay => '1 hour');
select is((select messages from symphony.purge_preview('q')), 10::bigint, 'what is delayed is not pending');
create temporary table look as select * from symphony.purge_preview('q');
select symphony.enqueue('B', queue_name => 'q', priority => n % 3, idempotency_key => 'b' || n)
from generate_series(1, 4) as n;
select is(symphony.purge_queue('q', seen), 10::bigint, 'those that were seen are dropped') from look;
select is(pg_temp.pending(), 4::bigint, 'those that came later are pending');
select is(
    (select string_agg(distinct key, ' ' order by key) from symphony.idempotency_key),
    'b1 b2 b3 b4', 'the keys of what was dropped are free'
);
select is(symphony.purge_queue('q', seen), 0::bigint, 'once more drops nothing') from look;
select is(
    (select affected from symphony.audit(action => 'purge_queue')), 10::bigint,
    'only what dropped something is in the audit trail'
);
select is(
    (select count(*) from symphony.list_messages(queue_name => 'q', state => 'removed')
     where type = 'A'),
    10::bigint, 'what was dropped is told to be removed'
);
select is_empty($$select * from symphony.check()$$, 'every invariant holds');

-- A transaction that was open when somebody looked, and one that a claim ends in the middle of.
select tap.elsewhere('writer', 'begin');
select tap.elsewhere('writer', $$select symphony.enqueue('C', queue_name => 'q')::text$$);
truncate look;
insert into look select * from symphony.purge_preview('q');
select is((select messages from look), 4::bigint, 'what is not committed is not seen');
select tap.elsewhere('writer', 'commit');
select symphony.enqueue_batch((
    select jsonb_agg(jsonb_build_object('message_type', 'D', 'queue_name', 'q', 'priority', 9))
    from generate_series(1, 6)));
create temporary table claimed as select * from symphony.claim_batch('{q}', 2);
select is((select count(*) from claimed where message_type = 'D'), 2::bigint, 'two of six are in hands');
select is(symphony.purge_queue('q', seen), 4::bigint, 'what was committed later stays') from look;
select is(pg_temp.pending(), 5::bigint, 'and so does the rest of a claim that came later');
insert into claimed select * from symphony.claim_batch('{q}', 10);
insert into claimed select * from symphony.claim_batch('{q}', 10);
select is(
    (select format('%s %s', count(*), count(distinct message_id)) from claimed), '7 7',
    'all of it is handed out once'
);
select is_empty($$select * from symphony.check()$$, 'every invariant holds');

-- What waits for its key.
select symphony.create_queue('k', key_concurrency => 1);
select symphony.enqueue('A', queue_name => 'k', group_key => 'ada') from generate_series(1, 3);
create temporary table held as select * from symphony.claim_batch('{k}', 10);
truncate look;
insert into look select * from symphony.purge_preview('k');
select symphony.enqueue('B', queue_name => 'k', group_key => 'ada') from generate_series(1, 2);
select count(*) from symphony.claim_batch('{k}', 10);
select is(symphony.purge_queue('k', seen), messages, 'of what waits for its key, that was seen goes')
from look;
select is(
    (select count(*) from symphony.message join symphony.lane using (lane_id)
     where queue_name = 'k' and message_type = 'B'), 2::bigint,
    'and what came later stays'
);
select * from finish();
