create or replace function symphony._doing(details jsonb)
returns text
language plpgsql
stable
as $$
/*
 * What a worker tells may be anything.  Of what it runs it tells the ids, and of what is stuck, and no
 * longer in its hands, the types as well.
 */
begin
    return (
        select string_agg(concat_ws(' ', told.type, told.message_id, 'for ' || symphony._duration(
                              told.seconds * interval '1 second')), ', ' order by told.seconds desc)
        from (
            select coalesce(handler ->> 'message_type', message.message_type) as type, id.message_id,
                   case when jsonb_typeof(handler -> 'seconds') = 'number'
                        then least((handler -> 'seconds')::double precision, 1e9) end as seconds
            from unnest('{running,stuck}'::text[]) as kind
            cross join jsonb_array_elements(
                case when jsonb_typeof(details -> kind) = 'array' then details -> kind else '[]' end
            ) as handler
            cross join lateral (
                select case when handler ->> 'message_id' ~ '^\d{1,18}$'
                            then (handler ->> 'message_id')::bigint end as message_id
            ) as id
            left join symphony.message on message.message_id = id.message_id
            where id.message_id is not null
            order by 3 desc nulls last
            limit 2
        ) as told);
end;
$$;

comment on function symphony._doing is
$$What handlers of a worker have been at for the longest, as part of a sentence.

Arguments  details - as the worker tells
Returns    null if it does not tell
Access     private$$;
