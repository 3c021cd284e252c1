create or replace function symphony._take_log(
    lane_id    integer,
    queue      symphony.queue,
    busy       jsonb,
    bounds     jsonb,
    has_parked boolean,
    taken      text[],
    claim_id   bigint,
    at_most    integer,
    finished   int8multirange,
    now        timestamptz,
    out ids    bigint[],
    out keys   text[],
    out holds  boolean,
    out passed integer,
    out parked_keys text[],
    out ahead  int8multirange,
    out partial_txid       bigint,
    out partial_message_id bigint
)
language plpgsql
volatile
as $$
/*
 * The log is gone through in windows.  Where nothing is busy, the first one has what is wanted; where
 * much is parked, they grow.  A claim passes some thousands of messages at most, and then says that there
 * are more.
 */
declare
    v_take      int8multirange;
    v_run       int8range;
    v_size      integer;
    v_left      integer := at_most;
    v_mine      jsonb := '{}';
    v_may_wait  boolean := has_parked or queue.ordered and exists (
        select from symphony.held_key where held_key.queue_name = queue.queue_name);
    v_is_narrow boolean := not queue.ordered and queue.key_concurrency is not null
                           or queue.key_rate is not null;
    v_window    record;
begin
    ids := '{}';
    keys := '{}';
    holds := false;
    passed := 0;
    parked_keys := '{}';
    select p.ahead, p.partial_txid, p.partial_message_id into ahead, partial_txid, partial_message_id
    from symphony._position(_take_log.lane_id) as p;
    loop
        v_take := ahead * finished;
        exit when isempty(v_take) or v_left <= 0 or passed >= 5000 + at_most;
        if v_is_narrow and cardinality(taken || keys) > 0 then
            v_mine := symphony._add_keys('{}', taken || keys);
        end if;
        v_run := symphony._first_run(v_take, partial_txid);
        v_size := least(1000, greatest(v_left, 2 * (passed - cardinality(ids))));
        select * into v_window
        from symphony._take_free(_take_log.lane_id, queue, v_run, coalesce(partial_message_id, 0), busy,
                                 v_left)
        where not v_may_wait and not v_is_narrow;
        if v_window.seen is null then
            v_window := symphony._take_window(
                _take_log.lane_id, queue, v_run, coalesce(partial_message_id, 0), busy, v_mine, bounds,
                v_may_wait, _take_log.claim_id, passed, v_left, v_size, now);
        end if;
        if v_window.seen < v_size and cardinality(v_window.ids) < v_left then    -- nothing is left of it
            ahead := ahead - int8multirange(v_run);
            partial_txid := null;
            partial_message_id := null;
        else
            ahead := ahead - int8multirange(v_run * int8range(null, v_window.last_txid));
            partial_txid := v_window.last_txid;
            partial_message_id := v_window.last_message_id;
        end if;
        ids := ids || v_window.ids;
        keys := keys || v_window.keys;
        holds := holds or v_window.holds;
        parked_keys := parked_keys || v_window.parked_keys;
        v_may_wait := v_may_wait or cardinality(parked_keys) > 0;
        passed := passed + v_window.seen;
        v_left := v_left - cardinality(v_window.ids);
    end loop;
    if passed - cardinality(ids) >= 5000 and cardinality(ids) = 0 then
        perform symphony._notify(queue.queue_name, '');
    end if;
end;
$$;

comment on function symphony._take_log is
$$Take the next messages of a lane whose keys are free, and park those before them.

Arguments  lane_id - locked, and the gate, too
           queue - its settings
           busy, bounds - as for _take_window()
           has_parked - false: nothing of the queue is parked
           taken - the keys of what this claim has taken already
           claim_id - of the claim that takes them
           at_most - how many
           finished - as for _claim_gated()
           now
Returns    ids - of the messages
           keys - of the messages
           holds - whether one of them holds its key
           passed - how many messages it went through
           parked_keys - keys of which it parked something
           ahead - the position after that
           partial_txid - of it
           partial_message_id - of it
Writes     symphony.parked; NOTIFY if it came through thousands of messages and found none
Access     private$$;
