create or replace function symphony._take_free(
    lane_id  integer,
    queue    symphony.queue,
    run      int8range,
    after_id bigint,
    busy     jsonb,
    at_most  integer
)
returns table (
    ids bigint[], keys text[], holds boolean, seen integer, parked_keys text[], last_txid bigint,
    last_message_id bigint
)
language plpgsql
stable
as $$
/* Most claims of most queues meet no key that is busy, and need not look at each one. */
begin
    return query
    select coalesce(array_agg(m.message_id), '{}'), coalesce(array_agg(m.group_key), '{}'), false,
           count(*)::integer,
           '{}'::text[], (array_agg(m.txid))[count(*)], (array_agg(m.message_id))[count(*)]
    from symphony._run(_take_free.lane_id, run, after_id, at_most) as m
    having queue.ordered is false or busy = '{}' or (bool_or(busy ? m.group_key)) is not true;
end;
$$;

comment on function symphony._take_free is
$$Take the next messages of a lane, if none of them has to wait for its key.

Arguments  lane_id - locked, and the gate, too
           queue - its settings: it does not limit the messages of a key but by their order, and no
               key is held or has something parked
           run - transactions, as for _run()
           after_id - as for _run()
           busy - what _busy_keys() says
           at_most - how many
Returns    as _take_window() does. Without a row one has to wait
Access     private$$;
