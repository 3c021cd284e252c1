create or replace function symphony._check_transport_config(transport_type text, config jsonb)
returns void
language plpgsql
stable
as $$
declare
    v_config jsonb := case when jsonb_typeof(config) = 'object' then config else '{}' end;
    v_what   text;
begin
    with known (key, kind, least, most, brokers) as (
        values ('destination', 'string', 1, 200, '{redis,rabbitmq,sqs}'::text[]),
               ('outbox', 'boolean', null, null, '{redis,rabbitmq,sqs}'),
               ('ordered', 'boolean', null, null, '{redis,rabbitmq,sqs}'),
               ('inbox', 'boolean', null, null, '{redis,rabbitmq,sqs}'),
               ('inbox_retention', 'string', null, null, '{redis,rabbitmq,sqs}'),
               ('batch_size', 'number', 1, 1000, '{redis,rabbitmq,sqs}'),
               ('format', 'string', null, null, '{redis,rabbitmq,sqs}'),
               ('type_header', 'string', 1, 200, '{redis,rabbitmq,sqs}'),
               ('default_type', 'string', 1, 200, '{redis,rabbitmq,sqs}'),
               ('exchange', 'string', 1, 127, '{rabbitmq}'),
               ('prefetch', 'number', 1, 10000, '{redis,rabbitmq,sqs}'),
               ('declare', 'boolean', null, null, '{redis,rabbitmq,sqs}'),
               ('group', 'string', 1, 200, '{redis}'),
               ('max_idle', 'number', 1, 86400, '{redis}'),
               ('visibility', 'number', 1, 43200, '{sqs}')
    )
    select case
        when known.key is null then format('"%s" is not a setting of type %s', given.key, transport_type)
        when jsonb_typeof(given.value) <> known.kind then format('%s must be a %s', given.key, known.kind)
        when known.kind = 'number' and (given.value::numeric not between known.least and known.most
                                        or known.key <> 'max_idle' and given.value::numeric % 1 <> 0)
            then format('%s must be %s to %s', given.key, known.least, known.most)
        when known.kind = 'string' and length(given.value #>> '{}') not between known.least and known.most
            then format('%s must have %s to %s characters', given.key, known.least, known.most)
        when known.key = 'format' and given.value #>> '{}' not in ('symphony', 'cloudevents')
            then 'format must be symphony or cloudevents'
        when given.value::text like '%://%' then format('%s holds a URL', given.key)
    end into v_what
    from jsonb_each(v_config) as given
    left join known on known.key = given.key and transport_type = any (known.brokers)
    order by 1
    limit 1;
    if jsonb_typeof(config) <> 'object' then
        v_what := 'it is not a JSON object';
    end if;
    begin
        if (v_config ->> 'inbox_retention')::interval not between '1 minute' and '1 year' then
            v_what := coalesce(v_what, 'inbox_retention must be 1 minute to 1 year');
        end if;
    exception when data_exception then
        v_what := coalesce(v_what, sqlerrm);
    end;
    if v_what is not null then
        raise exception 'the config of the transport is not right: %', v_what
            using errcode = '22023',
                  detail  = 'Nothing was changed.',
                  hint    = 'See docs/brokers.md. Where the broker is, and its password, symphony.toml '
                            'says and not the database.';
    end if;
end;
$$;

comment on function symphony._check_transport_config is
$$Refuse settings that a broker of this type does not know, and those that may hold a secret.

Arguments  transport_type - redis, rabbitmq or sqs
           config - of create_transport()
Raises     22023 invalid_parameter_value
Access     private$$;
