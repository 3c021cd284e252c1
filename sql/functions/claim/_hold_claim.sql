create or replace function symphony._hold_claim(claim_id bigint, message_ids bigint[])
returns bigint[]
language plpgsql
volatile
as $$
/*
 * The claim, not the message id, is the authority.  A worker that stalled past its lease
 * still knows the ids; letting it settle by id would complete work that another worker is
 * doing right now.
 */
declare
    v_claim record;
    v_now   timestamptz := symphony._now();
begin
    select claim.open_ids, claim.lease_until into v_claim
    from symphony.claim
    where claim.claim_id = _hold_claim.claim_id
      and (not symphony._is_limited() or symphony._is_lane_listed('{consumer}', claim.lane_id))
    for no key update;

    if not found or v_claim.open_ids = '{}'
       or v_claim.lease_until <= v_now and v_claim.lease_until <= symphony._lapsed_until(v_now)
    then
        perform symphony._refuse_returned(_hold_claim.claim_id, message_ids);
        raise exception 'claim % is no longer held', coalesce(_hold_claim.claim_id::text, '(null)')
            using errcode = 'SY010',
                  detail  = case
                      when v_claim.lease_until is null then 'There is no such claim.'
                      when v_claim.open_ids = '{}' then
                          'All of its messages are settled, or were given back.'
                      else format('Its lease ended at %s.', v_claim.lease_until)
                  end,
                  hint    = 'Do not try again: what was not settled is handed out anew. '
                            'Make the work safe to repeat, or the lease longer.';
    end if;
    if message_ids is null or message_ids = v_claim.open_ids then
        return v_claim.open_ids;
    end if;
    if message_ids = '{}' or not message_ids <@ v_claim.open_ids then
        perform symphony._refuse_returned(_hold_claim.claim_id, message_ids);
        raise exception 'not all of these messages are open in claim %', _hold_claim.claim_id
            using errcode = 'SY010',
                  detail  = format('Not open: %s.', coalesce((
                      select string_agg(coalesce(id::text, 'null'), ', ')
                      from unnest(message_ids) as id
                      where id is null or id <> all (v_claim.open_ids)), '(the list is empty)')),
                  hint    = 'Nothing was changed. '
                            'Settle each message once, by the claim that it came with.';
    end if;
    return array(select id from unnest(v_claim.open_ids) as id where id = any (message_ids));
end;
$$;

comment on function symphony._hold_claim is
$$Lock a live claim so that messages of it can be settled.

Arguments  claim_id
           message_ids - null: all that are open
Returns    the messages to settle, each once
Raises     SY010 lease_lost - the lease ended, the claim is foreign or settled, or a message is not
               open in it
           SY013 message_returned
Locks      the row of the claim
Access     private$$;
