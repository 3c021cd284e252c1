create or replace function symphony.health()
returns table (
    rank integer, severity text, code text, subject text, sentence text, since timestamptz, cause text,
    command text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
/*
 * Of what is equally severe, that comes first which may be the cause of others.
 */
#variable_conflict use_column
declare
    v_now timestamptz := symphony._now();
begin
    return query
    select (row_number() over (
                order by array_position('{critical,warning,note}', found.severity), found.place, found.since,
                         found.subject))::integer,
           found.severity, found.code, found.subject, found.sentence, found.since, found.cause, found.command
    from (
        select 1 as place, i.* from symphony._tick_incidents(v_now) as i
        union all select 2, i.* from symphony._lock_incidents(v_now) as i
        union all select 3, i.* from symphony._paused_incidents(v_now) as i
        union all select 4, i.* from symphony._notify_incidents() as i
    ) as found
    order by 1;
end;
$$;

comment on function symphony.health() is
$$What is wrong now, the worst first.

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

revoke execute on function symphony.health() from public;
