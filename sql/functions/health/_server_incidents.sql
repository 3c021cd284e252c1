create or replace function symphony._server_incidents()
returns setof symphony.incident
language plpgsql
stable
as $$
declare
    v_most record := symphony._thresholds();
    v_lsn  pg_lsn := case when pg_is_in_recovery() then pg_last_wal_replay_lsn()
                          else pg_current_wal_lsn() end;
begin
    return query
    select 'warning', 'slot_unread', s.slot_name::text,
           format('Nobody reads replication slot "%s": it keeps %s of WAL.', s.slot_name,
                  pg_size_pretty(pg_wal_lsn_diff(v_lsn, s.restart_lsn))),
           null::timestamptz,
           format('It is a %s slot that no standby or subscriber is connected to.', s.slot_type),
           format('select pg_drop_replication_slot(%L);', s.slot_name)
    from pg_replication_slots as s
    where not s.active and pg_wal_lsn_diff(v_lsn, s.restart_lsn) >= v_most.slot_bytes;

    return query
    select 'warning', 'vacuum_behind', c.relname::text,
           format('Table symphony.%s has %s dead rows.', c.relname, dead.rows), null::timestamptz,
           case when not current_setting('autovacuum')::boolean then 'Autovacuum is off.'
                when 'autovacuum_enabled=false' = any (c.reloptions)
                     or 'autovacuum_enabled=off' = any (c.reloptions) then 'Autovacuum is off for this table.'
                else format('Autovacuum does not keep up; it ended there last %s.', coalesce(
                    'at ' || date_trunc('second', pg_stat_get_last_autovacuum_time(c.oid)), 'never')) end,
           format('vacuum symphony.%I;', c.relname)
    from pg_class as c
    cross join lateral (select pg_stat_get_dead_tuples(c.oid) as rows) as dead
    where c.relnamespace = 'symphony'::regnamespace and c.relkind = 'r'
      and dead.rows >= v_most.dead_rows
      and dead.rows >= 2 * (current_setting('autovacuum_vacuum_threshold')::integer
                            + current_setting('autovacuum_vacuum_scale_factor')::float8
                              * greatest(c.reltuples, 0));
end;
$$;

comment on function symphony._server_incidents is
$$Replication slots that keep WAL for nobody, and tables that autovacuum does not keep clean.

Access     private$$;
