create or replace function symphony._bucket(seconds double precision)
returns integer
language sql
immutable
parallel safe
as $$
    select pg_catalog.ceil(2::double precision operator(pg_catalog.*) pg_catalog.ln(
               case when seconds operator(pg_catalog.<) 1e-6 then 1e-3
                    when seconds operator(pg_catalog.>) 1e8 then 1e11
                    else seconds operator(pg_catalog.*) 1e3::double precision end)
               operator(pg_catalog./) 0.6931471805599453::double precision)::integer
$$;

comment on function symphony._bucket is
$$The bucket of a time in a sketch: it has the times that are longer than 2^((b-1)/2) milliseconds,
and at most 2^(b/2). Its middle is off by at most 19 %. There are none for less than a microsecond
and more than three years.

Arguments  seconds - the time
Returns    b, from -19 to 74
Access     private$$;
