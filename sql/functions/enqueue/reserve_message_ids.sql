create or replace function symphony.reserve_message_ids(how_many integer)
returns setof bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if how_many is null or how_many not between 1 and 10000 then
        raise exception 'how_many must be 1 to 10000'
            using errcode = '22023',
                  detail  = 'So many ids are reserved at a time.',
                  hint    = 'Call it again for more.';
    end if;
    return query select nextval('symphony.message_id_seq') from generate_series(1, how_many);
end;
$$;

comment on function symphony.reserve_message_ids is
$$Draw ids for messages that are sent to a broker directly, so that each has one of its own wherever
it came by.

Arguments  how_many - 1 to 10000
Returns    the ids. Those that are not used are missed by nobody
Raises     22023 invalid_parameter_value
Access     producer$$;
