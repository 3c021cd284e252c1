create or replace function symphony._check_claim(
    queues     text[],
    batch_size integer,
    lease      interval
)
returns void
language plpgsql
stable
as $$
begin
    if symphony._is_limited() then
        perform symphony._check_use('{consumer}', queues);
    end if;
    if current_setting('transaction_isolation') not like 'read%' then
        raise exception 'messages cannot be claimed in a % transaction',
            current_setting('transaction_isolation')
            using errcode = 'SY011',
                  detail  = 'Its snapshot may be older than the last claim, which would be handed out again.',
                  hint    = 'Claim in a transaction of its own at the level read committed.';
    end if;
    if batch_size is null or batch_size not between 1 and 1000 then
        raise exception 'batch_size must be between 1 and 1000'
            using errcode = '22023',
                  detail  = format('It is %s.', coalesce(batch_size::text, 'null')),
                  hint    = 'Take 1 for long work and 10 to 100 for short work.';
    end if;
    if lease < '100 milliseconds' or lease > '1 day' then
        raise exception 'lease must be between 100 milliseconds and 1 day'
            using errcode = '22023',
                  detail  = format('It is %s.', lease),
                  hint    = 'Take a short lease and renew it with extend_lease() while the work goes on.';
    end if;
end;
$$;

comment on function symphony._check_claim is
$$Refuse a claim that cannot be right.

Arguments  as for claim_batch()
Raises     SY011 wrong_isolation_level
           22023 invalid_parameter_value
           42501 insufficient_privilege
Access     private$$;
