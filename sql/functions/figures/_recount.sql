create or replace function symphony._recount()
returns void
language plpgsql
volatile
as $$
begin
    delete from symphony.stretch;
    update symphony.tally
    set uncounted = '{(,)}', partial_txid = null, partial_message_id = null;
end;
$$;

comment on function symphony._recount is
$$Let all that is pending be counted anew, since the ids of transactions were changed.

Writes     symphony.tally, symphony.stretch
Locks      the caller has the tick and all lanes, so nobody counts
Access     private$$;
