create or replace function symphony._check_subscriptions()
returns void
language plpgsql
stable
as $$
/*
 * The worker of a subscription goes on for a moment after it was disabled.
 */
declare
    v_name name;
begin
    select s.subname into v_name
    from pg_subscription_rel as r
    join pg_subscription as s on s.oid = r.srsubid
    join pg_class as c on c.oid = r.srrelid
    where c.relnamespace = 'symphony'::regnamespace
      and (s.subenabled or exists (
          select from pg_stat_subscription as w where w.subid = s.oid and w.pid is not null))
    limit 1;
    if found then
        raise exception 'the queues are still being replicated to this server'
            using errcode = 'SY012',
                  detail  = format('The subscription "%s" writes into the schema symphony.', v_name),
                  hint    = 'Work on the other server until you switch over. Then: alter subscription '
                            || format('%I disable; and: select symphony.rebase();', v_name);
    end if;
end;
$$;

comment on function symphony._check_subscriptions is
$$Refuse to work with tables that logical replication still fills.

Raises     SY012 still_replicated
Access     private$$;
