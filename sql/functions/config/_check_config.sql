create or replace function symphony._check_config(config jsonb)
returns void
language plpgsql
stable
as $$
/*
 * The settings are the arguments of the verbs that set them, behind the first one, which is the name.
 */
declare
    v_what text;
begin
    if jsonb_typeof(config) is distinct from 'object' then
        v_what := 'it is not a JSON object';
    else
        with known (section, keys) as (
            values
                ('queues', (select proargnames[2:] from pg_proc
                            where oid = 'symphony.create_queue'::regproc)),
                ('retry', (select proargnames[2:] from pg_proc
                           where oid = 'symphony.set_retry_policy'::regproc)),
                ('transports', '{type,queue,priority,config,enabled}'),
                ('routing', null)
        )
        select case
            when known.section is null then format('"%s" is not one of its keys', given.key)
            when jsonb_typeof(given.value) <> 'object' then format('%s must be an object', given.key)
            else (
                select format('%s "%s" cannot be set to this: %s', given.key, item.key, item.value)
                from jsonb_each(case when jsonb_typeof(given.value) = 'object' then given.value
                                     else '{}' end) as item
                where known.keys is not null
                  and case when jsonb_typeof(item.value) <> 'object' then true
                           else item.value - known.keys <> '{}'
                                or jsonb_typeof(item.value -> 'permanent_errors') <> 'array'
                                or jsonb_typeof(item.value -> 'transient_errors') <> 'array' end
                limit 1)
        end into v_what
        from jsonb_each(config) as given
        left join known on known.section = given.key
        order by 1
        limit 1;
    end if;
    if v_what is not null then
        raise exception 'this is not a configuration: %', v_what
            using errcode = '22023',
                  detail  = 'Nothing was changed.',
                  hint    = 'Its keys are queues, transports, routing and retry; see apply_config().';
    end if;
end;
$$;

comment on function symphony._check_config is
$$Refuse a configuration that does not have the shape for apply_config().

Arguments  config
Raises     22023 invalid_parameter_value
Access     private$$;
