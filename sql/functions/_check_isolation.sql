create or replace function symphony._check_isolation()
returns void
language plpgsql
stable
as $$
/* PostgreSQL takes read uncommitted for read committed. */
begin
    if current_setting('transaction_isolation') not like 'read%' then
        raise exception 'the position of a lane cannot be read in a % transaction',
            current_setting('transaction_isolation')
            using errcode = 'SY011',
                  detail  = 'Its snapshot may be older than the last claim: what a worker has would be '
                            'taken for pending.',
                  hint    = 'Do it in a transaction of its own at the level read committed.';
    end if;
end;
$$;

comment on function symphony._check_isolation is
$$Refuse to work with a position that may be out of date.

Raises     SY011 wrong_isolation_level
Access     private$$;
