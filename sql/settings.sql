/*
 * What a session has set must not change what a function does.  Text that becomes a time or an
 * interval is read by DateStyle, IntervalStyle and TimeZone, and so is the text of one; a day is not
 * 24 hours long where clocks are changed; a regular expression is another one without
 * standard_conforming_strings; and a look at many messages is compiled by jit for longer than it takes.
 *
 * So each function that others call has its own settings, beside the search_path that its file tells.
 * enqueue() goes without, for it leaves all that they could change to _enqueue_other().  A procedure
 * that commits cannot have any.
 *
 * A function that plans its statements once, as its file tells by force_generic_plan, may do so while
 * its tables are empty.  So it is kept from walking through them for ever.
 */
do $$
declare
    v_statement text;
begin
    for v_statement in
        select format('alter function %s set %s', p.oid::regprocedure, setting)
        from pg_proc as p
        cross join unnest(array['datestyle = ''ISO, MDY''', 'intervalstyle = postgres', 'timezone = ''UTC''',
                                'standard_conforming_strings = on', 'extra_float_digits = 1',
                                'jit = off']) as setting
        where p.pronamespace = 'symphony'::regnamespace and p.prokind = 'f'
          and ('search_path=pg_catalog, pg_temp' = any (p.proconfig) or p.proname = '_enqueue_other')
          and p.proname <> 'enqueue'
        union all
        select format('alter function %s set %s = off', p.oid::regprocedure, setting)
        from pg_proc as p
        cross join unnest('{enable_seqscan,enable_bitmapscan,jit}'::text[]) as setting
        where p.pronamespace = 'symphony'::regnamespace
          and 'plan_cache_mode=force_generic_plan' = any (p.proconfig)
    loop
        execute v_statement;
    end loop;
end;
$$;
