create or replace function symphony._has_rest(
    lane_id    integer,
    take       int8multirange,
    first_run  int8range,
    txid       bigint,
    message_id bigint
)
returns boolean
language plpgsql
stable
as $$
begin
    return take <> int8multirange(first_run) or exists (
        select from symphony.message as m
        where m.lane_id = _has_rest.lane_id
          and (m.txid, m.message_id) > (_has_rest.txid, _has_rest.message_id)
          and m.txid < upper(first_run));
end;
$$;

comment on function symphony._has_rest is
$$Whether a claim that is full has left something in its lane.

Arguments  lane_id
           take - the transactions it took from
           first_run - the part of them that it began with. If it is not all of them, the answer is
               true without a look
           txid, message_id - the last message that it took
Access     private$$;
