-- The clock of a test: select set_clock('2027-03-01 08:00Z').
create function pg_temp.set_clock(moment timestamptz) returns setof text
language plpgsql as $$
begin
    execute format('create or replace function symphony._now() returns timestamptz '
                   'language sql as $now$ select %L::timestamptz $now$', moment);
end;
$$;
