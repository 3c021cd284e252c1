create or replace function symphony.health(library text default null)
returns table (
    rank integer, severity text, code text, subject text, sentence text, since timestamptz, cause text,
    command text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/*
 * Of what is equally severe, that comes first which may be the cause of others.  A table that is locked
 * is not waited for: nothing else can be looked at then.
 */
#variable_conflict use_column
declare
    v_now   timestamptz := symphony._now();
    v_found symphony.incident[] := array(select i from symphony._table_incidents() as i);
begin
    if v_found = '{}' then
        v_found := array(
            select i from symphony._installation_incidents(health.library) as i
            union all select i from symphony._tick_incidents(v_now) as i
            union all select i from symphony._lock_incidents(v_now) as i
            union all select i from symphony._broker_incidents(v_now) as i
            union all select i from symphony._queue_incidents(v_now) as i
            union all select i from symphony._backlog_incidents(v_now) as i
            union all select i from symphony._limit_incidents(v_now) as i
            union all select i from symphony._paused_incidents(v_now) as i
            union all select i from symphony._worker_incidents(v_now) as i
            union all select i from symphony._error_incidents(v_now) as i
            union all select i from symphony._type_incidents(v_now) as i
            union all select i from symphony._key_incidents(v_now) as i
            union all select i from symphony._schedule_incidents(v_now) as i
            union all select i from symphony._session_incidents(v_now) as i
            union all select i from symphony._notify_incidents() as i
            union all select i from symphony._server_incidents() as i
            union all select i from symphony._disk_incidents() as i
            union all select i from symphony._seen_incidents() as i);
    end if;
    return query
    select (row_number() over (
                order by array_position('{critical,warning,note}', told.severity), told.place, told.since,
                         told.subject))::integer,
           told.severity, told.code, told.subject, told.sentence, told.since, told.cause, told.command
    from (
        select found.*, min(found.number) over (partition by found.severity, found.code) as place
        from unnest(v_found) with ordinality as found (
            severity, code, subject, sentence, since, cause, command, number)
    ) as told
    order by 1;
end;
$$;

comment on function symphony.health is
$$What is wrong now, the worst first.

Arguments  library - the version of the program that asks, which should be that of the database;
               null: it does not say
Returns    a row for each. Without a row nothing is wrong
           rank - 1 for the worst
           severity - critical: work that is due is not done; warning: some of it is held up, or
               soon will be; note: somebody wanted it so, and nothing waits
           code - what it is, for programs: docs/runbook.md has all
           subject - which queue, lane, worker, schedule, session or role; null: all of it
           sentence - what is wrong
           since - since when; null: that is not known
           cause - what is behind it
           command - what helps: a statement, or a command of a shell
Access     operator, observer$$;
