-- failed_messages, retry_failed, remove_failed: a page or a few among a hundred thousand cost what they hold.
-- No table is walked.
-- Runs alone: it is big.
select plan(13);

select symphony.create_queue('q');
select symphony.create_queue('rare');
insert into symphony.failed_message (
    message_id, failed_at, enqueued_at, lane_id, attempt, reason,
    message_type, body, headers, last_error, error_class
)
select nextval('symphony.message_id_seq'), now() - i * interval '1 second', now(), lane_id, 4, 'exhausted',
       'T' || i % 7, jsonb_build_object('n', i), '{}', 'it broke', 'E' || i % 5
from symphony.lane, generate_series(1, 49990) as i
where queue_name in ('default', 'q') and priority = 5;
insert into symphony.failed_message (
    message_id, failed_at, enqueued_at, lane_id, attempt, reason,
    message_type, body, headers, last_error, error_class
)
select nextval('symphony.message_id_seq'), now() - i * interval '1 hour', now(), lane_id, 4, 'exhausted',
       'T', '{}', '{}', 'it broke', 'E'
from symphony.lane, generate_series(1, 20) as i
where queue_name = 'rare' and priority = 5;
insert into symphony.attempt (message_id, started_at, ended_at, replay, attempt, outcome, error)
select message_id, failed_at, failed_at, 0, 1, 'failed', 'it broke' from symphony.failed_message;
analyze symphony.failed_message;
analyze symphony.attempt;

create temporary table cost (call text, buffers integer, walked bigint);
create function pg_temp.walked() returns bigint language sql as $$
    select sum(seq_scan) from pg_stat_xact_user_tables
    where relname in ('failed_message', 'attempt', 'replay')
$$;
create function pg_temp.measure(call text) returns void language plpgsql as $$
declare v_before bigint;
begin
    perform tap.buffers(call);    -- the first call reads the catalog
    v_before := pg_temp.walked();
    insert into cost (call, buffers) values (call, tap.buffers(call));
    update cost set walked = pg_temp.walked() - v_before where cost.call = measure.call;
end $$;
create function pg_temp.buffers(call text) returns integer language plpgsql as $$
begin
    perform pg_temp.measure(call);
    return (select buffers from cost where cost.call = buffers.call);
end $$;

select cmp_ok(
    pg_temp.buffers($$select * from symphony.failed_messages()$$),
    '<', 500, 'the first page costs little'
);
select cmp_ok(
    pg_temp.buffers($$select * from symphony.failed_messages(
                          before_at => now() - interval '10 hours', before_id => 0)$$),
    '<', 500, 'a page in the middle costs little'
);
select cmp_ok(
    pg_temp.buffers($$select * from symphony.failed_messages('rare')$$),
    '<', 300, 'those of a queue that has few cost little'
);
select cmp_ok(
    pg_temp.buffers($$select * from symphony.failed_messages(since => now() - interval '10 seconds')$$),
    '<', 300, 'those of the last seconds cost little'
);
select cmp_ok(
    pg_temp.buffers($$select * from symphony.failed_messages(error_class => 'E3', at_most => 10)$$),
    '<', 1000, 'those of a class that is frequent cost little'
);
select cmp_ok(
    pg_temp.buffers($$select * from symphony.message_history(7)$$),
    '<', 20, 'the history of one costs little'
);
select cmp_ok(
    pg_temp.buffers($$select * from symphony.retry_failed(queue_name => 'rare', at_most => 5)$$),
    '<', 400, 'a few are replayed'
);
select cmp_ok(
    pg_temp.buffers($$select * from symphony.retry_failed(queue_name => 'q', at_most => 100)$$),
    '<', 6000, 'a hundred are replayed'
);
select cmp_ok(
    pg_temp.buffers($$select * from symphony.retry_failed(array[1000, 2000, 3000])$$),
    '<', 750, 'three are replayed by their ids'
);
select cmp_ok(
    pg_temp.buffers($$select * from symphony.remove_failed(queue_name => 'q', at_most => 100)$$),
    '<', 6000, 'a hundred are removed'
);
select is_empty(
    $$select call, walked from cost where walked is distinct from 0$$,
    'all of these find their rows by an index'
);

select is(
    (select messages from symphony.retry_failed(everything => true, at_most => 1000000)),
    (select 100000 - 5 * 2 - 100 * 2 - 3 - 100 * 2::bigint), 'the rest is replayed at once'
);
select is((select count(*) from symphony.failed_message), 0::bigint, 'nothing is left');
select diag(format('%s: %s buffers', call, buffers)) from cost;
select * from finish();
