create or replace function symphony._sweep(
    from_time timestamptz,
    now       timestamptz,
    out promoted  integer,
    out recovered integer,
    out failed    integer,
    out until     timestamptz,
    out has_more  boolean
)
language plpgsql
volatile
as $$
declare
    v_since  timestamptz := symphony._lapsed_until(now);
    v_lapsed record;
begin
    promoted := symphony._promote_due_messages(from_time, now);
    until := now;
    if v_since < now and not symphony._renew_leases(v_since, now) then
        until := v_since;
    end if;
    v_lapsed := symphony._recover_ended_leases(
        from_time, case when until = now then now else '-infinity' end);
    recovered := v_lapsed.recovered;
    failed := v_lapsed.failed;
    has_more := promoted >= 1000 or v_lapsed.claims >= 100 or recovered + failed >= 10000 or until < now;
end;
$$;

comment on function symphony._sweep is
$$Make due messages pending, and take back those whose lease ended.

Arguments  from_time - what was due before has been dealt with
           now
Returns    promoted - delayed messages that are pending now
           recovered, failed - as _recover_ended_leases() says
           until - now; or, while leases that nobody could renew are not all renewed, the time of
               the last tick
           has_more - true: more is due than is done in one call
Writes     what _promote_due_messages(), _renew_leases() and _recover_ended_leases() write
Access     private$$;
