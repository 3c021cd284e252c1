create or replace function symphony.check()
returns table (invariant text, detail text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
/* Where there is a lot it takes a while: a notice before each step tells how far it is. */
begin
    raise notice '1 of 11: a message is in one place';
    return query
    select 'a message is in one place', format('message %s is in more than one table', m.message_id)
    from symphony._all_messages() as m
    group by m.message_id
    having count(*) > 1;

    raise notice '2 of 11: a message is open in one claim';
    return query
    select 'a message is open in one claim',
           format('message %s is open in claims %s', id, array_agg(c.claim_id))
    from symphony.claim as c, unnest(c.open_ids) as id
    group by id
    having count(*) > 1;

    raise notice '3 of 11: an open message is behind its position';
    return query
    select 'an open message is behind its position',
           format('message %s of claim %s: %s', id, c.claim_id,
                  case when m.message_id is null then 'not in the log' else 'still ahead' end)
    from symphony.claim as c
    cross join unnest(c.open_ids) as id
    cross join lateral symphony._position(c.lane_id) as p
    left join symphony.message as m on m.message_id = id
    where m.message_id is null
       or symphony._is_ahead(m.txid, m.message_id, p.ahead, p.partial_txid, p.partial_message_id);

    raise notice '4 of 11: a position only moves on';
    return query
    select 'a position only moves on', format('claim %s of lane %s has more ahead than claim %s',
                                              c.claim_id, c.lane_id, c.before)
    from (
        select claim.claim_id, claim.lane_id, claim.ahead,
               lag(claim.claim_id) over w as before, lag(claim.ahead) over w as ahead_before
        from symphony.claim
        window w as (partition by claim.lane_id order by claim.claim_id)
    ) as c
    where not c.ahead <@ c.ahead_before;

    raise notice '5 of 11: a claim is finished when all is settled';
    return query
    select 'a claim is finished when all is settled', format('claim %s', c.claim_id)
    from symphony.claim as c
    where (c.open_ids = '{}') <> (c.finished_at is not null)
       or c.retried + c.failed + c.returned + cardinality(c.open_ids) > c.size;

    raise notice '6 of 11: a position is whole';
    return query
    select 'a position is whole', format('claim %s', c.claim_id)
    from symphony.claim as c
    where (c.partial_txid is null) <> (c.partial_message_id is null);

    raise notice '7 of 11: lanes are as their queues and this server are';
    return query select * from symphony._broken_lanes();

    raise notice '8 of 11: a message has a lane';
    return query
    select 'a message has a lane', format('message %s', m.message_id)
    from symphony._all_messages() as m
    where not exists (select from symphony.lane as l where l.lane_id = m.lane_id);

    raise notice '9 of 11: what waits for a key is whole';
    return query select * from symphony._broken_gates() union all select * from symphony._broken_rates();

    raise notice '10 of 11: figures are right';
    return query select * from symphony._broken_figures();

    raise notice '11 of 11: a history is that of a message';
    return query
    select 'a history is that of a message', format('message %s is gone', h.message_id)
    from (select a.message_id from symphony.attempt as a
          union select r.message_id from symphony.replay as r) as h
    where not exists (select from symphony._all_messages() as m where m.message_id = h.message_id);
end;
$$;

comment on function symphony.check is
$$Look for anything that must never be. It reads all messages: not for every minute. Notices tell how
far it is, and to cancel it does no harm.

Returns    a row for each violation. Without a row all is well
           invariant - what should always be so
           detail - where it is not
Access     operator, observer$$;
