create or replace function symphony._refuse_returned(claim_id bigint, message_ids bigint[])
returns void
language plpgsql
stable
as $$
declare
    v_ids text;
begin
    select string_agg(parked.message_id::text, ', ' order by parked.ordinal) into v_ids
    from symphony.parked
    where parked.message_id = any (_refuse_returned.message_ids)
      and parked.place = 0 - _refuse_returned.claim_id;
    if v_ids is not null then
        raise exception 'messages of claim % were given back to keep their order', claim_id
            using errcode = 'SY013',
                  detail  = format('One before them of their key did not succeed. They are: %s.', v_ids),
                  hint    = 'Do not work on what nack_with_backoff() and snooze() say was returned: it is '
                            'handed out anew when its turn comes.';
    end if;
end;
$$;

comment on function symphony._refuse_returned is
$$Refuse to settle messages that were given back since one before them of their key did not succeed.

Arguments  claim_id - that had them
           message_ids - null: none
Returns    only if there are none
Raises     SY013 message_returned
Access     private$$;
