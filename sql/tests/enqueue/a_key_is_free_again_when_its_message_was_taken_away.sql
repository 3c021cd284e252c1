-- enqueue: an idempotency key is in use while its message may be worked on or has been.  Whoever takes the
-- message away before that frees the key.
-- Runs alone: what others have open is not purged.
select plan(25);

select tap.set_clock(now());

select symphony.create_queue('q');
create temporary table sent (key text, id bigint);
create function pg_temp.send(key text, delay interval default null) returns bigint language plpgsql as $$
declare
    v_id bigint := symphony.enqueue('A', queue_name => 'q', idempotency_key => key, delay => delay);
begin
    insert into sent values (key, v_id);
    return v_id;
end $$;
create function pg_temp.id(key text) returns bigint language sql as $$
    select min(id) from sent where sent.key = id.key
$$;
create function pg_temp.is_new(key text, delay interval default null) returns boolean language plpgsql as $$
begin
    return (pg_temp.id(key) <> pg_temp.send(key, delay)) is true;
end $$;
create function pg_temp.fail(key text) returns void language sql as $$
    select symphony.nack_with_backoff(claim_id, message_id, 'x', retryable => false)
    from symphony.claim_batch('{q}') where message_id = pg_temp.id(key)
$$;

-- Cancelled.
select pg_temp.send('delayed', '1 hour'), pg_temp.send('pending');
select is(pg_temp.is_new('delayed', '1 hour') or pg_temp.is_new('pending'), false, 'the keys are in use');
select symphony.cancel(pg_temp.id('delayed')), symphony.cancel(pg_temp.id('pending'));
select ok(pg_temp.is_new('delayed', '1 hour'), 'a key whose delayed message was cancelled is free');
select ok(pg_temp.is_new('pending'), 'a key whose pending message was cancelled is free');
select is(
    symphony.enqueue('A', queue_name => 'q', idempotency_key => 'pending'),
    (select max(id) from sent where key = 'pending'), 'it stands for the new message then'
);
begin;
select symphony.cancel(max(id)) from sent where key = 'pending';
rollback;
select is(
    symphony.enqueue('A', queue_name => 'q', idempotency_key => 'pending'),
    (select max(id) from sent where key = 'pending'), 'a cancel that is rolled back frees nothing'
);
select symphony.claim_batch('{q}');
select is(
    symphony.cancel(max(id)),
    false, 'a message that has started cannot be cancelled'
)
from sent where key = 'pending';
select is(
    symphony.enqueue('A', queue_name => 'q', idempotency_key => 'pending'),
    (select max(id) from sent where key = 'pending'), 'a message that has started keeps its key'
);

-- Purged.
select pg_temp.send('in hand');
select symphony.claim_batch('{q}');
select pg_temp.send('purged'), pg_temp.send('not due', '1 hour');
select symphony.enqueue('A', idempotency_key => 'purged');
begin;
select symphony.purge_queue('q');
rollback;
select is(pg_temp.is_new('purged'), false, 'a purge that is rolled back frees nothing');
select tap.elsewhere('other', 'begin');
select tap.elsewhere(
    'other', $$select symphony.enqueue('A', queue_name => 'q', idempotency_key => 'not yet committed')$$
);
select symphony.purge_queue('q');
select tap.elsewhere('other', 'commit');
select ok(pg_temp.is_new('purged'), 'a key whose pending message was purged is free');
select is(
    pg_temp.is_new('not due', '1 hour'),
    false, 'the key of a delayed message is in use, since that is not purged'
);
select is(pg_temp.is_new('in hand'), false, 'the key of a message in the hands of a worker is in use');
select is(
    (select count(*) from symphony.idempotency_key where key = 'not yet committed'),
    1::bigint, 'the key of a message that was committed later is in use'
);
select is(
    (select count(*) from symphony.message join symphony.lane using (lane_id) where queue_name = 'default'),
    1::bigint, 'another queue has its one message'
);
select isnt(symphony.enqueue('A', idempotency_key => 'purged'), null, 'the same key can be sent to it');
select is(
    (select count(*) from symphony.message join symphony.lane using (lane_id) where queue_name = 'default'),
    1::bigint, 'the key is in use there as before'
);

-- Completed.
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';
select is(pg_temp.is_new('in hand'), false, 'a key whose message was completed is in use');
select symphony.configure_queue('q', retention => '0', idempotency_window => '1 day');
select tap.advance_clock('1 minute');
select symphony.tick();
select is_empty(
    $$select from symphony.message_status(pg_temp.id('in hand'))$$,
    'the message is removed from the history'
);
select is(pg_temp.is_new('in hand'), false, 'its key is in use until the window ends');

-- Failed.
select symphony.purge_queue('q');
select pg_temp.send('failed');
select pg_temp.fail('failed');
select is(pg_temp.is_new('failed'), false, 'a key whose message failed is in use: it may be brought back');
select symphony.remove_failed(array[pg_temp.id('failed')]);
select ok(pg_temp.is_new('failed'), 'the key of a failed message that was removed is free');
select symphony.claim_batch('{q}');
select pg_temp.send('kept for a day');
select pg_temp.fail('kept for a day');
select is(pg_temp.is_new('kept for a day'), false, 'the key of a failed message that is kept is in use');
select symphony.configure_queue('q', failed_retention => '1 hour');
select tap.advance_clock('2 hours');
select symphony.tick();
select is(
    (select count(*) from symphony.failed_message),
    0::bigint, 'the retention removes the failed message'
);
select ok(pg_temp.is_new('kept for a day'), 'that frees its key, too');

-- Several deliveries: were the key free, those that succeeded would be made again.
select symphony.create_transport('one', queue_name => 'q'),
       symphony.create_transport('two', queue_name => 'q');
select symphony.set_routes('Both', '["one", "two"]');
create temporary table delivered as select symphony.enqueue('Both', idempotency_key => 'both') as id;
select is(symphony.cancel(id), true, 'one of several deliveries is cancelled') from delivered;
select is(
    symphony.enqueue('Both', idempotency_key => 'both'),
    id, 'the key stays in use for the others'
)
from delivered;
select * from finish();
