create or replace function symphony._newest_failed(
    lane_id      integer,
    message_type text,
    error_class  text,
    since        timestamptz,
    before_at    timestamptz,
    before_id    bigint,
    search       text,
    at_most      bigint
)
returns setof symphony.failed_message
language plpgsql
stable
as $$
/*
 * A few of a type or with a class of error may be behind a million others, so each pair of these is walked
 * by an index of their own, and the newest of all are taken.
 */
#variable_conflict use_column
declare
    v_lane_id integer := _newest_failed.lane_id;
begin
    if _newest_failed.message_type is null and _newest_failed.error_class is null then
        return query
        select f.*
        from symphony.failed_message as f
        where f.lane_id = v_lane_id
          and f.failed_at >= since and (f.failed_at, f.message_id) < (before_at, before_id)
          and symphony._failed_matches(f, null, null, search)
        order by f.failed_at desc, f.message_id desc
        limit at_most;
    else
        return query
        select f.*
        from symphony._failed_groups(v_lane_id, _newest_failed.message_type,
                                     _newest_failed.error_class) as g
        cross join lateral (
            select same.*
            from symphony.failed_message as same
            where same.lane_id = v_lane_id and same.message_type = g.type
              and coalesce(same.error_class, '') = g.class
              and same.failed_at >= since and (same.failed_at, same.message_id) < (before_at, before_id)
              and symphony._failed_matches(same, null, null, search)
            order by same.failed_at desc, same.message_id desc
            limit at_most
        ) as f
        order by f.failed_at desc, f.message_id desc
        limit at_most;
    end if;
end;
$$;

comment on function symphony._newest_failed is
$$The newest failed messages of a lane, in order, as far as they are looked for.

Arguments  lane_id
           message_type, error_class, search - as for failed_messages()
           since - from then on
           before_at, before_id - of what failed at that moment, those with a smaller id
           at_most - so many
Access     private$$;
