create or replace function symphony._is_hidden(accesses text[], message_id bigint)
returns boolean
language sql
stable
as $$
    select symphony._is_limited() and not exists (
        select from symphony._all_messages() as held
        join symphony.lane on lane.lane_id operator(pg_catalog.=) held.lane_id
        where held.message_id operator(pg_catalog.=) _is_hidden.message_id
          and symphony._is_listed(accesses, lane.queue_name))
$$;

comment on function symphony._is_hidden is
$$Whether the caller is limited to some queues, and the message is in none of them, or nowhere.

Arguments  accesses - as for _is_listed()
           message_id
Access     private$$;
