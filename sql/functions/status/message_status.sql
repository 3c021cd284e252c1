create or replace function symphony.message_status(
    inout message_id bigint,
    out queue_name text, out message_type text, out status text, out attempt integer,
    out max_attempts integer, out priority integer, out enqueued_at timestamptz,
    out available_at timestamptz, out claimed_at timestamptz, out finished_at timestamptz,
    out failed_at timestamptz, out worker text, out claim_id bigint, out last_error text,
    out body jsonb, out headers jsonb, out expires_at timestamptz, out group_key text
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
    return query
    select s.* from symphony._message_status(message_status.message_id) as s
    where not symphony._is_limited()
       or symphony._is_listed('{producer,consumer,operator,observer}', s.queue_name);
end;
$$;

comment on function symphony.message_status is
$$Where a message is and what happened to it.

Arguments  message_id - from enqueue()
Returns    one row. Without a row the message never existed, was cancelled, its retention is over,
               or it is in a queue that the role may not use
           message_id - the message
           queue_name - its queue
           message_type - its type
           status - pending, waiting for its key, delayed, processing, completed, forwarded to a
               broker, failed or removed
           attempt - counts deliveries, the present one included
           max_attempts - deliveries before it fails for good
           priority - 0 to 9
           enqueued_at - when enqueue() was called
           available_at - when it is or became due, if it was delayed or retried
           claimed_at - when it was handed out, if it is being processed or was finished
           finished_at - when its claim was finished, if it is completed, forwarded or removed
           failed_at - when it was given up
           worker - who has it, finished it, or had it when it failed. Who finished it, and when,
               is not known of a message that had waited for its key
           claim_id - the claim it is being processed or was finished in
           last_error - why the last attempt did not succeed
           body - the payload
           headers - the metadata
           expires_at - when it is too late to start; null: never
           group_key - what it belongs to
Access     producer, consumer, operator, observer$$;
