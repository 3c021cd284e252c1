create or replace function symphony._purge_claims(
    lane_id    integer,
    claim_id   bigint,
    txid       bigint,
    message_id bigint,
    is_whole   boolean
)
returns void
language plpgsql
volatile
as $$
begin
    if is_whole then
        delete from symphony.claim as c
        where c.lane_id = _purge_claims.lane_id
          and c.claim_id < _purge_claims.claim_id
          and c.claim_id >= (
              select p.claim_id from symphony.purge_position as p
              where p.lane_id = _purge_claims.lane_id);
    end if;
    update symphony.purge_position as p
    set txid       = _purge_claims.txid,
        message_id = _purge_claims.message_id,
        claim_id   = case when is_whole then greatest(p.claim_id, _purge_claims.claim_id)
                          else p.claim_id end
    where p.lane_id = _purge_claims.lane_id;
end;
$$;

comment on function symphony._purge_claims is
$$Note how far a lane has been purged, and remove claims that handed out nothing but what is gone.

Arguments  lane_id
           claim_id - the first claim that stays
           txid - of the last message removed
           message_id - the last message removed
           is_whole - true: all its messages and those of the claims before it are removed
Writes     symphony.claim, symphony.purge_position
Access     private$$;
