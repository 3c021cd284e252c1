create or replace function symphony._busy_keys(claim_ids bigint[])
returns jsonb
language plpgsql
stable
as $$
/*
 * A claim of which nothing is settled has the keys at hand.  Of others the open messages are looked up,
 * and of those that were made before the queue had limits.
 */
begin
    return coalesce((
        select jsonb_object_agg(busy.key, busy.messages)
        from (
            select open.key, count(*) as messages
            from (
                select unnest(claim.keys) as key
                from symphony.claim
                where claim.claim_id = any (claim_ids)
                  and cardinality(claim.open_ids) = claim.size
                  and cardinality(claim.keys) = claim.size
                union all
                select message.group_key
                from symphony.claim
                cross join lateral unnest(claim.open_ids) as open (message_id)
                join symphony.message on message.message_id = open.message_id
                where claim.claim_id = any (claim_ids)
                  and (cardinality(claim.open_ids) = claim.size
                       and cardinality(claim.keys) = claim.size) is not true
            ) as open
            where open.key is not null
            group by open.key
        ) as busy), '{}');
end;
$$;

comment on function symphony._busy_keys is
$$The keys of the messages that are open in some claims.

Arguments  claim_ids
Returns    an object: how many messages of each key. Looking into it costs less than a join
Access     private$$;
