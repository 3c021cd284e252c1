create or replace function symphony._add_keys(busy jsonb, keys text[])
returns jsonb
language plpgsql
immutable
as $$
begin
    return coalesce((
        select jsonb_object_agg(k.key, k.messages)
        from (
            select each.key, sum(each.messages) as messages
            from (
                select old.key, old.value::integer as messages from jsonb_each(busy) as old
                union all
                select new.key, 1 from unnest(keys) as new (key) where new.key is not null
            ) as each
            group by each.key
        ) as k), '{}');
end;
$$;

comment on function symphony._add_keys is
$$Count messages to those that are in hands.

Arguments  busy - how many of each key
           keys - of the messages
Returns    busy with these
Access     private$$;
