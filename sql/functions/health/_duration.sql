create or replace function symphony._duration(length interval)
returns text
language sql
immutable
as $$
    select case
        when seconds operator(pg_catalog.<) 120 then pg_catalog.format('%s s', seconds)
        when seconds operator(pg_catalog.<) 7200
            then pg_catalog.format('%s min', seconds operator(pg_catalog./) 60)
        when seconds operator(pg_catalog.<) 172800
            then pg_catalog.format('%s h', seconds operator(pg_catalog./) 3600)
        else pg_catalog.format('%s days', seconds operator(pg_catalog./) 86400) end
    from (select greatest(pg_catalog.floor(extract(epoch from _duration.length)), 0)::bigint as seconds
          where _duration.length is not null) as s
$$;

comment on function symphony._duration is
$$A length of time as a sentence says it, such as 12 min: in one unit, rounded down.

Arguments  length
Access     private$$;
