create or replace function symphony._finished_transactions()
returns int8multirange
language plpgsql
volatile
as $$
/*
 * A statement that comes later sees every row of these transactions, and no row will
 * ever be added to them.  A snapshot does not list its own transaction as running, but
 * more messages may follow in it: so it is taken out.
 */
declare
    v_snapshot pg_snapshot := pg_current_snapshot();
    v_finished int8multirange :=
        int8multirange(int8range(null, pg_snapshot_xmax(v_snapshot)::text::bigint));
    v_own      bigint := pg_current_xact_id_if_assigned()::text::bigint;
begin
    if pg_snapshot_xmin(v_snapshot) <> pg_snapshot_xmax(v_snapshot) then
        v_finished := v_finished - coalesce(
            (select range_agg(int8range(running::text::bigint, running::text::bigint, '[]'))
             from pg_snapshot_xip(v_snapshot) as running),
            '{}');
    end if;
    if v_own is not null then
        v_finished := v_finished - int8multirange(int8range(v_own, v_own, '[]'));
    end if;
    return v_finished;
end;
$$;

comment on function symphony._finished_transactions is
$$The transactions that have ended, committed or not, as the present statement sees them.

Returns    a multirange of transaction ids, the caller's own left out
Access     private$$;
