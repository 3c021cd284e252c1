create or replace function symphony._failed_matches(
    failed       symphony.failed_message,
    message_type text,
    error_class  text,
    search       text
)
returns boolean
language sql
stable
as $$
    select (message_type is null or failed.message_type operator(pg_catalog.=) message_type)
       and (error_class is null
            or coalesce(failed.error_class, '') operator(pg_catalog.=) error_class)
       and (search is null
            or pg_catalog.strpos(
                pg_catalog.lower(pg_catalog.concat_ws(e'\n', failed.last_error, failed.body)),
                pg_catalog.lower(search)) operator(pg_catalog.>) 0)
$$;

comment on function symphony._failed_matches is
$$Whether a failed message is one of those that are looked for.

Arguments  failed - the message
           message_type, error_class, search - as for failed_messages()
Access     private$$;
