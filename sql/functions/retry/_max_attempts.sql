create or replace function symphony._max_attempts(
    message_type text,
    retry        jsonb,
    otherwise    integer
)
returns integer
language plpgsql
stable
as $$
begin
    return coalesce(
        (retry ->> 'max_attempts')::integer,
        (select policy.max_attempts from symphony._retry_policy(message_type) as policy),
        otherwise);
end;
$$;

comment on function symphony._max_attempts is
$$Deliveries that a message gets: what _retry_rule() says, for claim_batch().

Arguments  message_type
           retry - as enqueue() was told, or null
           otherwise - of its queue
Access     private$$;
