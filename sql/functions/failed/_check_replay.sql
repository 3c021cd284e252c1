create or replace function symphony._check_replay(
    message_ids bigint[],
    body        jsonb,
    per_second  double precision
)
returns void
language plpgsql
stable
as $$
begin
    if per_second is not null and not (per_second >= 0.001 and per_second <= 1000000) then
        raise exception 'per_second must be between 0.001 and 1000000, not %', per_second
            using errcode = '22023',
                  detail  = 'Nothing was replayed.',
                  hint    = 'Leave it out to replay at once.';
    end if;
    if body is null then
        return;
    end if;
    if cardinality(message_ids) is distinct from 1 then
        raise exception 'a new body is for one message'
            using errcode = '22023',
                  detail  = 'Nothing was replayed.',
                  hint    = 'Give message_ids with one id, or leave the body out.';
    end if;
    perform symphony._refuse_message(f.message_type, _check_replay.body, queue.queue_name, null, null,
                                     null, null, f.headers)
    from symphony.failed_message as f
    join symphony.lane on lane.lane_id = f.lane_id
    join symphony.queue on queue.queue_name = lane.queue_name
    where f.message_id = message_ids[1];
end;
$$;

comment on function symphony._check_replay is
$$Refuse what retry_failed() cannot do.

Arguments  as for retry_failed()
Raises     SY004 body_too_large
           22023 invalid_parameter_value
Access     private$$;
