create or replace function symphony._apply_access(role_oid oid)
returns void
language plpgsql
volatile
as $$
/*
 * Two kinds of access share functions, so all is taken and what the list says is granted again.
 */
declare
    v_role    text := quote_ident(pg_get_userbyid(_apply_access.role_oid));
    v_granted record;
begin
    execute format('revoke all on all routines in schema symphony from %s', v_role);
    execute format('revoke all on all tables in schema symphony from %s', v_role);
    execute format('revoke all on schema symphony from %s', v_role);
    for v_granted in
        select distinct format('grant execute on routine %s to %s', p.oid::regprocedure, v_role) as statement
        from symphony.access as a
        join symphony._access_list() as list on list.access = a.access
        join pg_proc as p on p.proname = list.function_name
        where a.role_oid = _apply_access.role_oid and p.pronamespace = 'symphony'::regnamespace
          and (a.queues is null or list.by_queue)
        union all
        select format('grant execute on function symphony._limited() to %s', v_role)
        from symphony.access as a
        where a.role_oid = _apply_access.role_oid and a.queues is not null
        union all
        select format('grant select on symphony.queue_overview, symphony.pending_message, '
                      'symphony.processing_message, symphony.failed_overview, '
                      'symphony.worker_overview, symphony.schedule_overview, '
                      'symphony.schedule_history to %s', v_role)
        from symphony.access as a
        where a.role_oid = _apply_access.role_oid and a.access in ('operator', 'observer')
        union all
        select format('grant usage on schema symphony to %s', v_role)
        from symphony.access as a
        where a.role_oid = _apply_access.role_oid
    loop
        execute v_granted.statement;
    end loop;
    perform symphony._note_limits();
end;
$$;

comment on function symphony._apply_access is
$$Let a role have what symphony.access says, and nothing more.

Arguments  role_oid
Writes     grants
Access     private$$;
