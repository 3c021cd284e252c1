create or replace function symphony._key_bounds(
    queue_name text,
    gate       symphony.gate_state,
    at_most    integer,
    now        timestamptz
)
returns jsonb
language plpgsql
stable
as $$
/*
 * Rows that were parked before a claim took the first of its key are gone.  A long snapshot may keep their
 * index entries, so whoever looks for the first that is parked starts behind them.  Where messages were
 * given back, or a head was handed out before what follows it, the first may be anywhere.
 */
begin
    return coalesce((
        select jsonb_object_agg(key.group_key, key.place)
        from (
            select let_go.group_key, min(let_go.place) as place
            from (
                select unnest(claim.keys) as group_key,
                       case when claim.returned = 0 then coalesce(claim.first_place, -9223372036854775808)
                            else -9223372036854775808 end as place
                from symphony.claim where claim.claim_id = any (gate.open_claims || gate.over_claims)
                union all
                select freed_key.group_key, -9223372036854775808
                from symphony.freed_key where freed_key.queue_name = _key_bounds.queue_name
                union all
                (select key_pace.group_key, -9223372036854775808
                 from symphony.key_pace
                 where key_pace.queue_name = _key_bounds.queue_name
                   and key_pace.next_at > coalesce(gate.paced_until, '-infinity')
                   and key_pace.next_at <= now
                 order by key_pace.next_at
                 fetch first at_most rows with ties)
            ) as let_go
            where let_go.group_key is not null
            group by let_go.group_key
        ) as key), '{}');
end;
$$;

comment on function symphony._key_bounds is
$$The keys of a queue of which something parked may be handed out, and where it is.

Arguments  queue_name
           gate - what _gate() says
           at_most - so many keys whose rate allows the next message
           now
Returns    an object: for each key of the claims at the gate, of freed_key and of key_pace the least
               place of what is parked
Access     private$$;
