create or replace function symphony.set_routes(pattern text, routes jsonb)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_routes  jsonb := case when jsonb_typeof(routes) = 'array' then routes
                            else jsonb_build_array(routes) end;
    v_unknown text;
    v_count   integer;
    v_before  text[];
begin
    perform symphony._check_pattern(pattern);
    if exists (
        select from jsonb_array_elements(v_routes) as r
        where jsonb_typeof(r) not in ('string', 'object')
           or jsonb_typeof(r) = 'object' and (
               r - '{transport,handler}'::text[] <> '{}'
               or jsonb_typeof(r -> 'transport') is distinct from 'string'
               or jsonb_typeof(r -> 'handler') not in ('string', 'null')))
    then
        raise exception 'the routes of "%" cannot be read', set_routes.pattern
            using errcode = '22023',
                  detail  = format('They were given as %s.', v_routes),
                  hint    = 'Name transports, as in ''["mail", {"transport": "slow", "handler": "audit"}]''; '
                            '''[]'' removes all.';
    end if;
    select named.transport_name into v_unknown
    from (select case when jsonb_typeof(r) = 'object' then r ->> 'transport'
                      else r #>> '{}' end as transport_name
          from jsonb_array_elements(v_routes) as r) as named
    where not exists (select from symphony.transport as t where t.transport_name = named.transport_name)
    limit 1;
    if found then
        perform symphony._refuse_transport(v_unknown);
    end if;

    perform symphony._take_turn('routes', wait => true);
    lock table symphony.route in share row exclusive mode;
    v_before := array(select format('%s %s', r.transport_name, r.handler_name) from symphony.route as r
                      where r.pattern = set_routes.pattern order by r.route_id);
    delete from symphony.route where route.pattern = set_routes.pattern;
    insert into symphony.route (pattern, transport_name, handler_name)
    select set_routes.pattern,
           case when jsonb_typeof(r.route) = 'object' then r.route ->> 'transport' else r.route #>> '{}' end,
           case when jsonb_typeof(r.route) = 'object' then r.route ->> 'handler' end
    from jsonb_array_elements(v_routes) with ordinality as r (route, number)
    order by r.number
    on conflict on constraint route_key do nothing;
    get diagnostics v_count = row_count;
    if v_before <> array(select format('%s %s', r.transport_name, r.handler_name) from symphony.route as r
                         where r.pattern = set_routes.pattern order by r.route_id)
    then
        perform symphony._audit('set_routes', jsonb_build_object(
            'pattern', pattern, 'routes', v_routes), v_count);
    end if;
    perform symphony._note_routes();
    return v_count;
end;
$$;

comment on function symphony.set_routes is
$$Route a message type, or a group of them, to these transports, and to no others.

Arguments  pattern - a message type, a group such as orders.*, or *
           routes - an array of names of transports, or of {"transport": name, "handler": name}:
               there only that handler gets it. '[]' removes the routes
Returns    how many routes the pattern has
Raises     SY011 wrong_isolation_level
           SY020 unknown_transport
           22023 invalid_parameter_value
Writes     symphony.route, symphony.lane, symphony.audit
Access     operator$$;
