create or replace function symphony._access_list()
returns table (function_name text, access text)
language sql
immutable
as $$
    select pg_catalog.unnest('{enqueue,enqueue_batch,cancel,message_status,why_not_running,version}'::text[]), 'producer'
    union all
    select pg_catalog.unnest('{claim_batch,ack,nack_with_backoff,extend_lease,release,tick,heartbeat,stop_worker,idle,busy,message_status,why_not_running,version}'::text[]), 'consumer'
    union all
    select pg_catalog.unnest('{create_queue,configure_queue,pause_queue,resume_queue,purge_queue,drop_queue,tick,check,grant_access,revoke_access,message_status,why_not_running,queue_stats,version}'::text[]), 'operator'
    union all
    select pg_catalog.unnest('{check,message_status,why_not_running,queue_stats,version}'::text[]), 'observer'
$$;

comment on function symphony._access_list() is
$$Which functions grant_access() grants to whom. The contract of each function says the same.

Access     private$$;

revoke execute on function symphony._access_list() from public;
