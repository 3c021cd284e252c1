create or replace function symphony._fold(fold_at timestamptz, now timestamptz)
returns timestamptz
language plpgsql
volatile
as $$
/*
 * What the first tick after the end of a minute finds counts for that minute, so most have one row.  Where
 * much happens it is done more often: nobody who looks has more to read than what happened since.  Lanes
 * take their turns by chance, as in purge().
 */
declare
    v_minute   timestamptz := date_trunc('minute', _fold.now - interval '5 seconds');
    v_lane_id  integer;
    v_folded   record;
    v_claims   integer := 0;
    v_messages integer := 0;
begin
    if _fold.fold_at > _fold.now then
        return _fold.fold_at;
    end if;
    for v_lane_id in
        select lane_id from symphony._unfolded_lanes() as lane_id order by random()
    loop
        v_folded := symphony._fold_lane(v_lane_id, v_minute);
        v_claims := v_claims + v_folded.claims;
        v_messages := v_messages + v_folded.messages;
        if v_claims >= 10000 or v_messages >= 100000 then
            return _fold.now;
        end if;
    end loop;
    perform symphony._fold_work(v_minute), symphony._roll_figures(_fold.now);
    return least(
        date_trunc('minute', _fold.now) + interval '1 minute',
        _fold.now + interval '1 minute' / greatest(v_claims / 2000.0, v_messages / 20000.0, 1));
end;
$$;

comment on function symphony._fold is
$$Fold what happened in all lanes since the last time. One call goes through some 10,000 claims and
counts some 100,000 messages.

Arguments  fold_at - when that is due; null: now
           now
Returns    when to fold again
Writes     what _fold_lane(), _fold_work() and _roll_figures() write
Access     private$$;
