-- list_messages, failed_messages, failed_stats: what is rare is found as fast as what is frequent.
-- Runs alone: it is big.
select plan(15);

select symphony.create_queue('q');
insert into symphony.message (enqueued_at, lane_id, message_type, body, headers)
select now(), lane_id, 'A', '{}', '{}' from symphony.lane, generate_series(1, 60000)
where queue_name = 'q' and priority = 5;
do $$
begin
    for i in 1 .. 50 loop
        perform symphony.ack(min(claim_id)) from symphony.claim_batch('{q}', 1000);
    end loop;
    perform count(*) from symphony.claim_batch('{q}', 20, lease => '1 hour');
end $$;
insert into symphony.failed_message (
    message_id, failed_at, enqueued_at, lane_id, attempt, reason, message_type, body, headers, last_error,
    error_class)
select nextval('symphony.message_id_seq'), now() - i * interval '1 second', now(), lane_id, 4, 'exhausted',
       case when i > 49990 then 'Rare' else 'T' || i % 7 end, '{}', '{}', 'it broke',
       case when i > 49980 then null else 'E' || i % 5 end
from symphony.lane, generate_series(1, 50000) as i
where queue_name = 'q' and priority = 5;
vacuum (analyze) symphony.message, symphony.claim, symphony.failed_message;
update symphony.tick set fold_at = '-infinity';
select symphony.tick(purge => false);

set track_functions = 'all';
create function pg_temp.asked() returns bigint language sql volatile as
    $$select coalesce(sum(calls), 0)::bigint from pg_stat_xact_user_functions
      where funcname = '_message_status'$$;
create function pg_temp.asked_by(call text) returns bigint language plpgsql as $$
declare
    v_before bigint := pg_temp.asked();
begin
    execute format('select count(*) from symphony.list_messages(%s)', call);
    return pg_temp.asked() - v_before;
end $$;

-- The newest 10,000 are pending, in hands, or completed.
select cmp_ok(pg_temp.asked_by(format('%L', state)), '<=', 50::bigint,
    'only those listed are asked: ' || state)
from unnest('{pending,waiting,processing,completed,forwarded,removed}'::text[]) as state;
select cmp_ok(pg_temp.asked_by(format('%L, before_id => 45000', state)), '<=', 50::bigint,
    'and where all are completed: ' || state)
from unnest('{pending,completed,removed}'::text[]) as state;
select symphony.purge_queue('q');
select is(pg_temp.asked_by($$'completed'$$), 0::bigint, 'or removed');
select cmp_ok(tap.buffers($$select * from symphony._newest_messages('processing', null, 10000)$$), '<', 400,
    'what is in hands is found however many claims are over');

-- Failed messages of a rare type or class, behind 50,000 others.
select results_eq(
    $$select count(*), max(message_type) from symphony.failed_messages(message_type => 'Rare')$$,
    $$values (10::bigint, 'Rare')$$, 'they are found'
);
select cmp_ok(
    greatest(tap.buffers($$select * from symphony.failed_messages(message_type => 'Rare')$$, 2),
             tap.buffers($$select * from symphony.failed_messages(error_class => '')$$, 2),
             tap.buffers($$select * from symphony.failed_messages(error_class => 'None')$$, 2)),
    '<', 300, 'a rare type or class costs what it holds'
);
select cmp_ok(
    greatest(tap.buffers($$select * from symphony.failed_stats(message_type => 'Rare')$$, 2),
             tap.buffers($$select * from symphony.failed_stats(error_class => 'None')$$, 2)),
    '<', 300, 'and so does its group'
);
select results_eq(
    $$select message_id from symphony.failed_messages(error_class => 'E3', at_most => 1000)$$,
    $$select message_id from symphony.failed_message where error_class = 'E3'
      order by failed_at desc, message_id desc limit 1000$$,
    'those of several types come in their order'
);
select * from finish();
