create or replace function symphony._failed_outcomes(
    message_ids bigint[],
    done_ids    bigint[],
    outcome     text,
    total       bigint default null
)
returns table (message_id bigint, outcome_of_it text, messages bigint)
language plpgsql
stable
as $$
begin
    if message_ids is null then
        return query select null::bigint, outcome, coalesce(total, cardinality(done_ids), 0);
        return;
    end if;
    return query
    select given.id,
           case when given.id = any (done_ids) then outcome
                else coalesce((select s.status from symphony._message_status(given.id) as s), 'unknown')
           end,
           (given.id = any (done_ids))::integer::bigint
    from (
        select id, min(number) as number
        from unnest(message_ids) with ordinality as u (id, number)
        where id is not null
        group by id
    ) as given
    order by given.number;
end;
$$;

comment on function symphony._failed_outcomes is
$$The answer of retry_failed() and remove_failed().

Arguments  message_ids - as they were given
           done_ids - those that were failed
           outcome - what became of these
           total - how many they are; null: count done_ids
Returns    a row for each id that was given, or else one with the total
Access     private$$;
