create or replace function symphony._failed_groups(lane_id integer, message_type text, error_class text)
returns table (type text, class text)
language plpgsql
stable
as $$
/*
 * An index has the groups in order, so a look for the next one after each finds them all, however many
 * messages they have.
 */
#variable_conflict use_column
declare
    v_lane_id integer := _failed_groups.lane_id;
begin
    type := coalesce(_failed_groups.message_type, (
        select min(f.message_type) from symphony.failed_message as f where f.lane_id = v_lane_id));
    while type is not null loop
        class := coalesce(_failed_groups.error_class, (
            select min(coalesce(f.error_class, '')) from symphony.failed_message as f
            where f.lane_id = v_lane_id and f.message_type = type));
        while class is not null loop
            return next;
            class := case when _failed_groups.error_class is null then (
                select min(coalesce(f.error_class, '')) from symphony.failed_message as f
                where f.lane_id = v_lane_id and f.message_type = type
                  and coalesce(f.error_class, '') > class) end;
        end loop;
        type := case when _failed_groups.message_type is null then (
            select min(f.message_type) from symphony.failed_message as f
            where f.lane_id = v_lane_id and f.message_type > type) end;
    end loop;
end;
$$;

comment on function symphony._failed_groups is
$$The types of the failed messages of a lane and their classes of error, or those that are looked for.

Arguments  lane_id
           message_type, error_class - as for failed_messages()
Returns    a row for each pair. Where both are given that is these, whether there are any or not
Access     private$$;
