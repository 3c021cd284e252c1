create or replace function symphony._place_of_key(
    message_type   text,
    given_queue    text,
    out queue_name text,
    out deliveries integer
)
returns setof record
language sql
stable
as $$
    select _place_of_key.given_queue, 1
    where _place_of_key.given_queue is not null
    union all
    (select d.queue_name, pg_catalog.count(*) over ()::integer
     from symphony._deliveries(_place_of_key.message_type) as d
     where _place_of_key.given_queue is null
       and d.transport_type operator(pg_catalog.<>) 'sync'
     order by d.delivery
     limit 1)
$$;

comment on function symphony._place_of_key is
$$In which queue the idempotency key of a message is taken, and for how many messages. That is the
queue of the first delivery, and the key stands for all of them.

Arguments  message_type
           given_queue - the queue that the caller names; null: as the type is routed
Returns    a row, unless the type is routed to no queue
Access     private$$;
