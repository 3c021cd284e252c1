create or replace procedure symphony.remove_many_failed(
    queue_name   text default null,
    message_type text default null,
    error_class  text default null,
    since        timestamptz default null,
    until        timestamptz default null,
    search       text default null,
    everything   boolean default false,
    at_most      integer default null,
    chunk        integer default 10000,
    actor        text default null,
    inout messages bigint default 0
)
language plpgsql
as $$
/*
 * What fails meanwhile is newer than all that had failed at first: nobody has looked at it yet.
 * A procedure that commits may not pin its search_path, so every name is qualified.
 */
declare
    v_named  boolean := pg_catalog.num_nonnulls(queue_name, message_type, error_class, since, until,
                                                search) operator(pg_catalog.>) 0;
    v_until  pg_catalog.timestamptz := until;
    v_wanted integer;
    v_done   bigint;
begin
    if v_named and everything is not true or not v_named and everything is true then
        v_until := coalesce((
            select newest.failed_at
            from symphony.failed_messages(queue_name, message_type, error_class, since, until, search,
                                          at_most => 1) as newest), '-infinity');
    end if;
    messages := 0;
    loop
        perform pg_catalog.set_config('symphony.actor', actor, true) where actor is not null;
        v_wanted := least(chunk, at_most operator(pg_catalog.-) messages);
        select outcome.messages into v_done
        from symphony.remove_failed(
            null, queue_name, message_type, error_class, since, v_until, search,
            everything => everything and v_named, at_most => v_wanted) as outcome;
        messages := messages operator(pg_catalog.+) v_done;
        commit;
        exit when v_done operator(pg_catalog.<) v_wanted or messages operator(pg_catalog.=) at_most;
    end loop;
end;
$$;

comment on procedure symphony.remove_many_failed is
$$Remove failed messages as remove_failed() does, any number of them: in chunks, each in a
transaction of its own. What fails meanwhile is left as it is.

Arguments  queue_name, message_type, error_class, since, until, search - as for failed_messages()
           everything - true: all of them, without filters
           at_most - how many in all; null: no limit
           chunk - how many in one transaction, 1 to 1,000,000
           actor - who does it, for the audit: the setting symphony.actor of each chunk
           messages - how many were removed; what is given has no meaning
Raises     what remove_failed() raises
Writes     what remove_failed() writes, and commits it, so the caller must not be in a transaction.
           What was committed stays if it is cancelled; statement_timeout counts for the whole call
Locks      as remove_failed(), until the chunk is committed
Access     operator$$;
