create or replace function symphony._failed_outcomes(
    choice   symphony.failed_choice,
    done_ids bigint[],
    outcome  text,
    dry_run  boolean
)
returns table (message_id bigint, outcome_of_it text, messages bigint)
language plpgsql
stable
as $$
/*
 * failed_stats() reads so many and no more; a dry run has to say how many there are.
 */
begin
    if choice.message_ids is null and dry_run then
        return query
        select null::bigint, outcome, count(*)
        from symphony.failed_message as f
        join symphony.lane on lane.lane_id = f.lane_id
        where lane.queue_name = coalesce(choice.queue_name, lane.queue_name)
          and f.failed_at >= coalesce(choice.since, '-infinity')
          and f.failed_at <= coalesce(choice.until, 'infinity')
          and f.message_id <= coalesce(choice.up_to_id, 9223372036854775807)
          and symphony._failed_matches(f, choice.message_type, choice.error_class, choice.search);
        return;
    elsif choice.message_ids is null then
        return query select null::bigint, outcome, cardinality(done_ids)::bigint;
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
        from unnest(choice.message_ids) with ordinality as u (id, number)
        where id is not null
        group by id
    ) as given
    order by given.number;
end;
$$;

comment on function symphony._failed_outcomes is
$$The answer of retry_failed() and remove_failed().

Arguments  choice - which messages were meant
           done_ids - those that were failed
           outcome - what became of these
           dry_run - true: nothing was done, and all that a filter means are counted
Returns    a row for each id that was given, or else one with the total
Access     private$$;
