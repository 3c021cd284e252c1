create or replace function symphony._forget(message_ids bigint[])
returns void
language plpgsql
volatile
as $$
/*
 * A message that was replayed has failed before.  Most have not, nor have their neighbours: then one
 * look is enough for all of them.
 */
declare
    v_failed bigint[];
begin
    perform
    from (select min(id) as first, max(id) as last from unnest(_forget.message_ids) as id) as gone
    where exists (select from symphony.attempt
                  where attempt.message_id >= gone.first and attempt.message_id <= gone.last);
    if not found then
        return;
    end if;
    with forgotten as (
        delete from symphony.attempt
        using unnest(_forget.message_ids) as gone (message_id)
        where attempt.message_id = gone.message_id
        returning attempt.message_id
    )
    select array_agg(distinct forgotten.message_id) into v_failed from forgotten;
    delete from symphony.replay
    using unnest(v_failed) as gone (message_id)
    where replay.message_id = gone.message_id;
end;
$$;

comment on function symphony._forget is
$$Remove the history of messages that are gone.

Arguments  message_ids - null: does nothing
Writes     symphony.attempt, symphony.replay
Access     private$$;
