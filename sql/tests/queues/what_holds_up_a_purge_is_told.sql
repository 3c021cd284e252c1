-- queue_stats: it tells which claim, or which transaction, keeps a queue from being purged.
-- Runs alone: a transaction in another database of the server holds up the purge.
select plan(10);

select symphony.create_queue('q', retention => '1 hour', lease => '1 day');
select symphony.enqueue('A', queue_name => 'q') from generate_series(1, 20);
create temporary table long as select * from symphony.claim_batch('{q}', 1, 'slow');
select symphony.ack(claim_id) from (select distinct claim_id from symphony.claim_batch('{q}', 10)) as c;
select is(
    (select purge_waits_for from symphony.queue_stats('q')),
    null, 'a claim that is younger than the retention holds up nothing'
);
select tap.advance_clock('2 hours');
select is(
    (select format('%s %s', purge_waits_for ~ claim_id::text, purge_waits_for ~ 'slow')
     from symphony.queue_stats('q'), long),
    't t', 'an older one is told, and who has it'
);
select is((select purged from symphony.purge()), 0, 'it keeps what was completed after it');
select is((select purge_waits_for from symphony.queue_stats('q')), (
    select purge_waits_for from symphony.queue_overview where queue_name = 'q'
), 'the view tells it, too');
select symphony.ack(claim_id) from long;
select is(
    (select purge_waits_for from symphony.queue_stats('q')),
    null, 'when it is settled, nothing is held up'
);
select tap.elsewhere('idler', 'begin');
select tap.elsewhere('idler', 'select pg_current_xact_id() is not null');
select tap.advance_clock('2 hours');
select is(
    (select substring(purge_waits_for from 'pid (\d+)') from symphony.queue_stats('q')),
    tap.elsewhere('idler', 'select pg_backend_pid()::text'),
    'a transaction that has written and stays open is told by its pid'
);
select tap.elsewhere('idler', 'rollback');

select symphony.create_queue('r', ordered => true, on_failure => 'hold', retention => '1 hour');
select symphony.enqueue('A', queue_name => 'r', group_key => key)
from unnest('{ada,bob,ada,bob,bob}'::text[]) with ordinality as given (key, number) order by number;
select symphony.nack_with_backoff(claim_id, message_id, 'no', retryable => false)
from symphony.claim_batch('{r}') where group_key = 'ada' limit 1;
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}' and keys is not null;
select tap.advance_clock('2 hours');
select count(*) from symphony.purge();
select is((select count(*) from symphony.message join symphony.lane using (lane_id) where queue_name = 'r'),
          3::bigint, 'what lies before a message that waits is purged, what lies behind it is not');
select is((select purged from symphony.purge()), 0, 'however often');
select is(
    (select purge_waits_for from symphony.queue_stats('r')),
    (select format('message %s, which has waited for its key ada since %s', message_id, enqueued_at)
     from symphony.parked join symphony.message using (message_id)),
    'the message is told, and the key that it waits for'
);
select symphony.remove_failed(array(select message_id from symphony.failed_message));
select symphony.ack(claim_id) from symphony.claim_batch('{r}');
select is(
    (select purge_waits_for from symphony.queue_stats('r')), null,
    'when it is done, nothing is held up'
);
select * from finish();
