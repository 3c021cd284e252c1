-- list_messages: by state it lists those of which message_status() says so, whatever has happened.
select plan(13);

select symphony.create_queue('plain', retry_delay => '1 h'), symphony.create_queue('many', concurrency => 9),
       symphony.create_queue('ordered', ordered => true, on_failure => 'hold'),
       symphony.create_transport('out', 'redis');

create procedure pg_temp.happen(queue text) language plpgsql as $$
declare
    v_claim record;
begin
    for v_round in 1 .. 3 loop
        perform symphony.enqueue('A', queue_name => queue, group_key => format('k%s-%s', v_round, i % 6))
        from generate_series(1, 12) as i;
        commit;
        perform symphony.ack(min(claim_id)) from symphony.claim_batch(array[queue], 4, 'w')
        having count(*) > 0;
        commit;
        for v_claim in select claim_id, message_id from symphony.claim_batch(array[queue], 1, 'w') loop
            perform symphony.nack_with_backoff(v_claim.claim_id, v_claim.message_id, 'no',
                                               retryable => v_round < 3);
        end loop;
        commit;
        perform symphony.release(min(claim_id)) from symphony.claim_batch(array[queue], 1, 'w')
        having count(*) > 0;
        commit;
        perform count(*) from symphony.claim_batch(array[queue], 1, 'w');
        commit;
        perform count(*) from symphony.claim_batch(array[queue], 1, 'w');
        commit;
        exit when v_round = 3;
        perform symphony.purge_queue(queue);
        commit;
    end loop;
end $$;
call pg_temp.happen('plain');
call pg_temp.happen('many');
call pg_temp.happen('ordered');
call pg_temp.happen('outbox/out');
select symphony.enqueue('A', queue_name => 'ordered', group_key => 'last') from generate_series(1, 2);
select count(*) from symphony.claim_batch('{ordered}', 50);
select count(*) from symphony.claim_batch('{ordered}', 50);

create temporary view told as
select s.message_id, s.status, s.queue_name
from symphony._all_messages() as m
cross join lateral symphony._message_status(m.message_id) as s;
select set_eq(
    'select distinct status from told',
    'select unnest(''{pending,waiting,delayed,processing,completed,forwarded,failed,removed}''::text[])',
    'all of it has happened'
);
create function pg_temp.listed(state text) returns setof bigint language sql as
    $$select message_id from symphony.list_messages(state, at_most => 10000)$$;
select results_eq(
    format('select pg_temp.listed(%L)', state),
    format('select message_id from told where status = %L order by 1 desc', state), 'state ' || state
)
from unnest('{pending,waiting,delayed,processing,completed,forwarded,failed,removed}'::text[]) as state;
select results_eq(
    'select message_id, status from symphony.list_messages(at_most => 10000)',
    'select message_id, status from told order by 1 desc', 'and all together'
);

-- A queue that is purged, again and again, is told apart from one that is worked off.
select count(*) from (select symphony.purge_queue('plain') from generate_series(1, 3)) as p;
select symphony.enqueue('A', queue_name => 'plain');
select symphony.purge_queue('plain');
select results_eq(
    format('select pg_temp.listed(%L)', state),
    format('select message_id from told where status = %L order by 1 desc', state), 'then, too: ' || state
)
from unnest('{pending,completed,removed}'::text[]) as state;
select * from finish();
