create or replace function symphony._followers(claim_id bigint, message_ids bigint[])
returns bigint[]
language plpgsql
stable
as $$
begin
    return array(
        select later.message_id
        from (
            select open.message_id, open.number,
                   min(open.number) filter (where open.message_id = any (_followers.message_ids))
                       over (partition by message.group_key) as first_number
            from symphony.claim
            cross join lateral unnest(claim.open_ids) with ordinality as open (message_id, number)
            join symphony.message on message.message_id = open.message_id
            where claim.claim_id = _followers.claim_id and message.group_key is not null
        ) as later
        where later.number >= later.first_number
        order by later.number);
end;
$$;

comment on function symphony._followers is
$$Messages of a claim with all that follow them in it, of the same keys.

Arguments  claim_id
           message_ids - open in it
Returns    those of them that have a key, and the open ones of these keys behind them, in order
Access     private$$;
