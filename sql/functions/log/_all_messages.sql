create or replace function symphony._all_messages()
returns table (message_id bigint, lane_id integer)
language sql
stable
as $$
    select delayed_message.message_id, delayed_message.lane_id from symphony.delayed_message
    union all
    select failed_message.message_id, failed_message.lane_id from symphony.failed_message
    union all
    select message.message_id, message.lane_id from symphony.message
$$;

comment on function symphony._all_messages is
$$Every message, wherever it is.

Access     private$$;
