create or replace function symphony._forget(message_ids bigint[])
returns void
language plpgsql
volatile
as $$
/*
 * Who was replayed has failed before, so most messages cost one look into one index.
 */
declare
    v_failed bigint[];
begin
    with forgotten as (
        delete from symphony.attempt
        where attempt.message_id = any (_forget.message_ids)
        returning attempt.message_id
    )
    select array_agg(distinct forgotten.message_id) into v_failed from forgotten;
    delete from symphony.replay where replay.message_id = any (v_failed);
end;
$$;

comment on function symphony._forget(bigint[]) is
$$Remove the history of messages that are gone.

Arguments  message_ids - null: none
Writes     symphony.attempt, symphony.replay
Access     private$$;

revoke execute on function symphony._forget(bigint[]) from public;
