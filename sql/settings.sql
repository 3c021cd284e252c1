/*
 * What a session has set must not change what a function does.  Text that becomes a time or an
 * interval is read by DateStyle, IntervalStyle and TimeZone, and so is the text of one; a day is not
 * 24 hours long where clocks are changed; a regular expression is another one without
 * standard_conforming_strings; and a look at many messages is compiled by jit for longer than it takes.
 *
 * So each function that others call has its own settings, beside the search_path that its file tells.
 * enqueue() goes without, for it leaves all that they could change to _enqueue_other().  A procedure
 * that commits cannot have any.
 */
do $$
declare
    v_function regprocedure;
begin
    for v_function in
        select p.oid
        from pg_proc as p
        where p.pronamespace = 'symphony'::regnamespace and p.prokind = 'f'
          and ('search_path=pg_catalog, pg_temp' = any (p.proconfig) or p.proname = '_enqueue_other')
          and p.proname <> 'enqueue'
    loop
        execute format('alter function %s set datestyle = ''ISO, MDY''', v_function);
        execute format('alter function %s set intervalstyle = postgres', v_function);
        execute format('alter function %s set timezone = ''UTC''', v_function);
        execute format('alter function %s set standard_conforming_strings = on', v_function);
        execute format('alter function %s set extra_float_digits = 1', v_function);
        execute format('alter function %s set jit = off', v_function);
    end loop;
end;
$$;
