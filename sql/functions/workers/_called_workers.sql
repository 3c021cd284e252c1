create or replace function symphony._called_workers(
    lane_id  integer,
    workers  text[],
    messages integer
)
returns text
language plpgsql
stable
as $$
/*
 * The worker of the newest claim was there a moment ago, and has time if it has settled that.  It is
 * called alone if, at the pace of that claim, it is through within 20 ms.  The second one looks a
 * little later, or when it hears the same claim again: then the first has not come.
 */
declare
    v_last   record;
    v_called json;
begin
    if cardinality(workers) = 1 then
        v_called := json_build_array(workers[1], null, null);
    else
        select claim.claim_id, claim.worker, claim.open_ids,
               (claim.finished_at - claim.claimed_at) / nullif(claim.size, 0) as pace
        into v_last
        from symphony.claim
        where claim.lane_id <= _called_workers.lane_id    -- as in _position()
        order by claim.lane_id desc, claim.claim_id desc
        limit 1;
        if v_last.worker = any (workers) and v_last.open_ids = '{}'
           and (messages = 1 or messages * v_last.pace <= '20 milliseconds')
        then
            v_called := json_build_array(
                v_last.worker, (array_remove(workers, v_last.worker))[cardinality(workers) - 1],
                v_last.claim_id);
        end if;
    end if;
    return case when octet_length(v_called::text) < 7000 then v_called::text else '' end;
end;
$$;

comment on function symphony._called_workers is
$$Which of the sleeping workers a notification calls.

Arguments  lane_id - where messages have come
           workers - those that sleep, one or more
           messages - how many have come
Returns    the payload. A JSON array calls one: its name, that of another one, and the newest claim.
           An empty text calls all, also where names are too long for a payload
Access     private$$;
