create or replace function symphony._catch_up_sequences()
returns void
language plpgsql
volatile
as $$
/*
 * A dump sets the sequences, logical replication does not.
 */
declare
    v_sequence record;
    v_used     bigint;
begin
    for v_sequence in
        select 'symphony.message_id_seq' as name,
               'select greatest((select max(message_id) from symphony._all_messages()), '
                               '(select max(message_id) from symphony.idempotency_key))' as newest
        union all
        select 'symphony.claim_id_seq', 'select max(claim_id) / 65536 from symphony.claim'
        union all
        select pg_get_serial_sequence(c.oid::regclass::text, a.attname),
               format('select max(%I) from %s', a.attname, c.oid::regclass)
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attidentity <> ''
        where c.relnamespace = 'symphony'::regnamespace
    loop
        execute v_sequence.newest into v_used;
        if v_used > coalesce(pg_sequence_last_value(v_sequence.name::regclass), 0) then
            perform setval(v_sequence.name::regclass, v_used);
        end if;
    end loop;
end;
$$;

comment on function symphony._catch_up_sequences is
$$Let no sequence give out a number that is in use.

Access     private$$;
