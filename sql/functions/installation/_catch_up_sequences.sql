create or replace function symphony._catch_up_sequences()
returns void
language plpgsql
volatile
as $$
/*
 * A dump sets the sequences, logical replication does not.
 */
declare
    v_sequence record;
begin
    for v_sequence in
        select 'symphony.message_id_seq' as name, greatest(
            (select max(m.message_id) from symphony._all_messages() as m),
            (select max(k.message_id) from symphony.idempotency_key as k)) as used
        union all
        select 'symphony.claim_id_seq', max(claim_id) / 65536 from symphony.claim
        union all
        select pg_get_serial_sequence('symphony.lane', 'lane_id'), max(lane_id) from symphony.lane
        union all
        select pg_get_serial_sequence('symphony.tick', 'tick_id'), max(tick_id) from symphony.tick
        union all
        select pg_get_serial_sequence('symphony.gate', 'gate_id'), max(gate_id) from symphony.gate
        union all
        select pg_get_serial_sequence('symphony.key_pace', 'pace_id'), max(pace_id) from symphony.key_pace
        union all
        select pg_get_serial_sequence('symphony.idle_worker', 'idle_id'), max(idle_id)
        from symphony.idle_worker
        union all
        select pg_get_serial_sequence('symphony.release', 'release_id'), max(release_id)
        from symphony.release
        union all
        select pg_get_serial_sequence('symphony.audit', 'audit_id'), max(audit_id) from symphony.audit
        union all
        select pg_get_serial_sequence('symphony.attempt', 'attempt_id'), max(attempt_id) from symphony.attempt
        union all
        select pg_get_serial_sequence('symphony.replay', 'replay_id'), max(replay_id) from symphony.replay
        union all
        select pg_get_serial_sequence('symphony.route', 'route_id'), max(route_id) from symphony.route
        union all
        select pg_get_serial_sequence('symphony.handler', 'handler_id'), max(handler_id) from symphony.handler
        union all
        select pg_get_serial_sequence('symphony.figure', 'figure_id'), max(figure_id) from symphony.figure
        union all
        select pg_get_serial_sequence('symphony.type_figure', 'figure_id'), max(figure_id)
        from symphony.type_figure
        union all
        select pg_get_serial_sequence('symphony.work', 'work_id'), max(work_id) from symphony.work
    loop
        if v_sequence.used > coalesce(pg_sequence_last_value(v_sequence.name::regclass), 0) then
            perform setval(v_sequence.name::regclass, v_sequence.used);
        end if;
    end loop;
end;
$$;

comment on function symphony._catch_up_sequences is
$$Let no sequence give out a number that is in use.

Access     private$$;
