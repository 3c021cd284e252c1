-- What the tests share, in the schema tap beside pgTAP and dblink.  Every database of a test has it.

-- The clock.  Symphony reads the time in one function, and a test replaces that function.
-- If the transaction of the test is rolled back, so is the replacement.

create function tap.set_clock(moment timestamptz)
returns void
language plpgsql
as $$
begin
    execute format(
        'create or replace function symphony._now() returns timestamptz '
        'language sql volatile as $now$ select %s $now$',
        coalesce(format('%L::timestamptz', set_clock.moment), 'pg_catalog.clock_timestamp()')
    );
end;
$$;

comment on function tap.set_clock(timestamptz) is
$$Let the time of Symphony stand still at a moment.

Arguments  moment - null lets it run again, as the wall clock does
Writes     symphony._now(), which is replaced$$;

create function tap.advance_clock(wait interval)
returns void
language sql
as $$ select tap.set_clock(symphony._now() + wait) $$;

comment on function tap.advance_clock(interval) is
$$Put the time of Symphony forward, and let it stand still there.

Arguments  wait - how far, from where the time stands or, if it runs, from now; less than 0 puts it back
Writes     symphony._now(), which is replaced$$;

create function tap.pass_time(wait interval)
returns void
language plpgsql
as $$
declare
    v_end timestamptz := symphony._now() + pass_time.wait;
begin
    while symphony._now() + interval '4 seconds' < v_end loop
        perform tap.advance_clock('4 seconds');
        perform symphony.tick();
    end loop;
    perform tap.set_clock(v_end);
end;
$$;

comment on function tap.pass_time(interval) is
$$Put the time of Symphony forward while somebody ticks, and let it stand still there. After a jump of the
clock the next tick would take it that nobody could reach the server.

Arguments  wait - how far
Writes     symphony._now(), and what symphony.tick() writes$$;

-- Other sessions.

create function tap.elsewhere(statement text)
returns text
language sql
as $$ select value from tap.dblink(tap.dsn(), statement) as t (value text) $$;

comment on function tap.elsewhere(text) is
$$Run a statement in a session of its own, which commits and ends.

Arguments  statement - a command, or a query of one column
Returns    the first value of a query, the status of a command
Raises     what the statement raises$$;

create function tap.elsewhere(session text, statement text)
returns text
language plpgsql
as $$
begin
    if elsewhere.session <> all (coalesce(tap.dblink_get_connections(), '{}')) then
        perform tap.dblink_connect(elsewhere.session, tap.dsn());
    end if;
    return (select value from tap.dblink(elsewhere.session, elsewhere.statement) as t (value text) limit 1);
end;
$$;

comment on function tap.elsewhere(text, text) is
$$Run a statement in another session, which stays open until the test ends.

Arguments  session - its name; the first statement connects it
           statement - a command such as begin, or a query of one column
Returns    the first value of a query, the status of a command
Raises     what the statement raises$$;

create function tap.start_elsewhere(session text, statement text)
returns void
language plpgsql
as $$
begin
    perform tap.elsewhere(start_elsewhere.session, 'select 1');
    perform tap.dblink_send_query(start_elsewhere.session, start_elsewhere.statement);
end;
$$;

comment on function tap.start_elsewhere(text, text) is
$$Start a statement in another session, and do not wait for it.

Arguments  session, statement - as those of elsewhere(session, statement)
Returns    nothing; result_from() has the result$$;

create function tap.result_from(session text)
returns text
language plpgsql
as $$
declare
    v_value text;
begin
    select value into v_value from tap.dblink_get_result(result_from.session) as t (value text);
    -- dblink takes another statement when it was asked for results until none was left.
    perform from tap.dblink_get_result(result_from.session) as t (value text);
    return v_value;
end;
$$;

comment on function tap.result_from(text) is
$$Wait for what start_elsewhere() has started.

Arguments  session - its name
Returns    the first value of a query, the status of a command
Raises     what the statement raises$$;

-- What happened.

create function tap.newest_claim()
returns bigint
language sql
as $$ select max(claim_id) from symphony.claim where size > 0 $$;

comment on function tap.newest_claim() is
$$Tell the claim that was the last to hand out messages.

Returns    its claim_id$$;

create function tap.error_of(statement text, out code text, out message text, out detail text, out hint text)
language plpgsql
as $$
begin
    execute error_of.statement;
exception when others then
    get stacked diagnostics code = returned_sqlstate, message = message_text,
                            detail = pg_exception_detail, hint = pg_exception_hint;
end;
$$;

comment on function tap.error_of(text) is
$$Run a statement and tell the error that it raises.

Arguments  statement - what to run
Returns    the SQLSTATE, the message, the detail and the hint; null where the statement succeeds
Writes     what the statement writes, if it succeeds$$;

create function tap.buffers(statement text, runs integer default 1)
returns integer
language plpgsql
as $$
/*
 * The first runs of a statement also read the catalog, hence the least of several.
 */
declare
    v_plan  jsonb;
    v_least integer;
begin
    for i in 1 .. buffers.runs loop
        execute 'explain (analyze, buffers, format json) ' || buffers.statement into v_plan;
        v_least := least(v_least, (v_plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::integer
                                + (v_plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::integer);
    end loop;
    return v_least;
end;
$$;

comment on function tap.buffers(text, integer) is
$$Run a statement and count the buffers that it touches.

Arguments  statement - what to explain; runs - how often it is run
Returns    the number of the run that touched the fewest
Writes     what the statement writes, in each run$$;
