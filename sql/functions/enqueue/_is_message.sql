create or replace function symphony._is_message(
    message_type    text,
    body            jsonb,
    headers         jsonb,
    max_body_bytes  integer,
    delay           interval,
    available_at    timestamptz,
    idempotency_key text
)
returns boolean
language sql
stable
as $$
    /* A body that comes from a column may be compressed, but never to less than a 255th; #> '{}' is
       the body as it was before that. */
    select coalesce(
        pg_catalog.length(message_type) operator(pg_catalog.<=) 200
        and message_type operator(pg_catalog.<>) ''
        and pg_catalog.jsonb_typeof(body) operator(pg_catalog.<>) 'null'
        and (pg_catalog.pg_column_size(body) operator(pg_catalog.<=)
                 (max_body_bytes operator(pg_catalog./) 256)
             or pg_catalog.pg_column_size(body operator(pg_catalog.#>) '{}'::text[])
                 operator(pg_catalog.<=) max_body_bytes)
        and pg_catalog.jsonb_typeof(headers) operator(pg_catalog.=) 'object'
        and (delay is null or available_at is null and delay operator(pg_catalog.>=) '0'::interval
             and delay operator(pg_catalog.<=) '100 years'::interval)
        and (available_at is null
             or pg_catalog.isfinite(available_at)
             and available_at operator(pg_catalog.>=)
                 (pg_catalog.transaction_timestamp() operator(pg_catalog.-) '1 minute'::interval))
        and (idempotency_key is null
             or pg_catalog.octet_length(idempotency_key) operator(pg_catalog.<=) 512
             and idempotency_key operator(pg_catalog.<>) ''),
        false)
$$;

comment on function symphony._is_message is
$$Whether a message may be enqueued. If not, _refuse_message() says why.

Arguments  as for enqueue(), and
           max_body_bytes - of its queue
Access     private$$;
