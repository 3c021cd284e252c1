create or replace function symphony.apply_config(config jsonb, dry_run boolean default false)
returns table (kind text, name text, change text, old jsonb, new jsonb)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * The states before and after are compared, so the differences are what really happened.  A dry
 * run rolls the changes back, and the variables stay.
 */
declare
    v_before  jsonb;
    v_after   jsonb;
    v_changed text[];
begin
    perform symphony._take_turn('routes', wait => true);
    lock table symphony.transport, symphony.route, symphony.retry_policy in share row exclusive mode;
    v_before := symphony._config();
    begin
        perform symphony._write_config(apply_config.config);
        v_after := symphony._config();
        if dry_run then
            raise sqlstate 'SY099';
        end if;
    exception when sqlstate 'SY099' then
        null;
    end;
    v_changed := array(
        select key from jsonb_each(v_before) as b full join jsonb_each(v_after) as a using (key)
        where a.value is distinct from b.value order by key);
    if v_changed <> '{}' and dry_run is not true then
        perform symphony._audit('apply_config', jsonb_build_object('changed', v_changed),
                                cardinality(v_changed));
    end if;
    return query
    select split_part(key, ' ', 1), substr(key, strpos(key, ' ') + 1),
           case when b.value is null then 'create' when a.value is null then 'remove' else 'change' end,
           b.value, a.value
    from jsonb_each(v_before) as b
    full join jsonb_each(v_after) as a using (key)
    where a.value is distinct from b.value
    order by array_position('{queue,transport,route,retry}', split_part(key, ' ', 1)), key;
end;
$$;

comment on function symphony.apply_config is
$$Bring queues, transports, routes and retry policies to a wanted state, all of it or nothing.

Arguments  config - an object with any of the keys below; what has no key stays as it is. queues
               {name: {settings of create_queue()}}: they are created or changed, never removed.
               transports {name: {"type", "queue", "priority", "config", "enabled"}}: their queues
               are created if need be. routing {pattern: routes as in set_routes()}. retry
               {pattern: {arguments of set_retry_policy()}}. A transport, pattern of routes or retry
               policy that its key does not name is removed
           dry_run - true: change nothing
Returns    a row for each difference
           kind - queue, transport, route or retry
           name - of the queue or transport, or the pattern
           change - create, change or remove
           old - what it was
           new - what it is now
Raises     what create_queue() raises
           what configure_queue() raises
           what create_transport() raises
           what disable_transport() raises
           what remove_transport() raises
           what set_routes() raises
           what set_retry_policy() raises
           22023 invalid_parameter_value
Writes     symphony.queue, symphony.transport, symphony.route, symphony.retry_policy, symphony.audit
Locks      other changes of routes and policies until the transaction ends; no message
Access     operator$$;
