create or replace function symphony._stuck_keys(at_most integer)
returns table (queue_name text, group_key text)
language plpgsql
stable
as $$
/* From one key to the next, however many messages each has. */
begin
    return query
    with recursive waiting as (
        (select p.queue_name, p.group_key from symphony.parked as p
         order by p.queue_name, p.group_key limit 1)
        union all
        select next.queue_name, next.group_key
        from waiting
        cross join lateral (
            select p.queue_name, p.group_key from symphony.parked as p
            where (p.queue_name, p.group_key) > (waiting.queue_name, waiting.group_key)
            order by p.queue_name, p.group_key
            limit 1
        ) as next
    ), at_gate as materialized (
        select newest.queue_name, key.group_key
        from (select distinct on (g.queue_name) g.queue_name, g.open_claims
              from symphony.gate as g order by g.queue_name, g.gate_id desc) as newest
        join symphony.claim as c on c.claim_id = any (newest.open_claims)
        cross join lateral (
            select unnest(c.keys) as group_key
            union all
            select m.group_key from unnest(c.open_ids) as open (message_id)
            join symphony.message as m on m.message_id = open.message_id
            where (cardinality(c.keys) = c.size) is not true
        ) as key
    )
    select w.queue_name, w.group_key
    from (select * from waiting limit at_most) as w
    where not exists (select from at_gate as a
                      where a.queue_name = w.queue_name and a.group_key = w.group_key)
      and not exists (select from symphony.freed_key as f
                      where f.queue_name = w.queue_name and f.group_key = w.group_key)
      and not exists (select from symphony.held_key as h
                      where h.queue_name = w.queue_name and h.group_key = w.group_key
                        and not exists (select from symphony.parked as p
                                        where p.message_id = h.message_id))
      and not exists (
          select from (select k.next_at from symphony.key_pace as k
                       where k.queue_name = w.queue_name and k.group_key = w.group_key
                       order by k.pace_id desc limit 1) as newest
          where newest.next_at > coalesce((
              select g.paced_until from symphony.gate as g where g.queue_name = w.queue_name
              order by g.gate_id desc limit 1), '-infinity'));
end;
$$;

comment on function symphony._stuck_keys is
$$Keys of which something is parked, though they are neither in hands nor held nor about to be looked
at, now or when their rate allows that.

Arguments  at_most - how many keys are looked at; null: all
Access     private$$;
