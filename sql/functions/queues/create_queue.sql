create or replace function symphony.create_queue(
    queue_name         text,
    max_attempts       integer default null,
    retry_delay        interval default null,
    retry_multiplier   double precision default null,
    retry_max_delay    interval default null,
    retry_jitter       double precision default null,
    lease              interval default null,
    retention          interval default null,
    max_body_bytes     integer default null,
    idempotency_window interval default null,
    failed_retention   interval default null,
    max_snooze         interval default null,
    ordered            boolean default null,
    key_concurrency    integer default null,
    concurrency        integer default null,
    on_failure         text default null,
    rate               text default null,
    burst              integer default null,
    key_rate           text default null
)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_created boolean;
begin
    if coalesce(create_queue.queue_name, '') !~ '^[A-Za-z0-9_.:/-]{1,48}$' then
        raise exception '"%" cannot be the name of a queue', coalesce(create_queue.queue_name, '(null)')
            using errcode = '22023',
                  detail  = 'A name has 1 to 48 letters, digits and _ . : / - .',
                  hint    = 'Choose a name such as emails or billing/invoices.';
    end if;
    insert into symphony.queue (queue_name)
    values (create_queue.queue_name)
    on conflict on constraint queue_pkey do nothing;
    v_created := found;
    if v_created then
        with made as (
            insert into symphony.lane (queue_name, priority, is_used)
            select create_queue.queue_name, priority, priority = 5 from generate_series(0, 9) as priority
            returning lane.lane_id
        ), purged as (
            insert into symphony.purge_position (lane_id) select made.lane_id from made
        ), counted as (
            insert into symphony.tally (lane_id) select made.lane_id from made
        )
        insert into symphony.claim (lane_id, claimed_at, lease_until, finished_at, size, open_ids, ahead)
        select made.lane_id, symphony._now(), symphony._now(), symphony._now(), 0, '{}', '{[0,)}'
        from made;
        if create_queue.queue_name = 'default' then
            perform symphony._note_routes();
        end if;
    end if;
    if v_created then
        perform symphony._audit('create_queue', jsonb_build_object('queue_name', create_queue.queue_name));
    end if;
    perform symphony.configure_queue(
        create_queue.queue_name, max_attempts, retry_delay, retry_multiplier, retry_max_delay,
        retry_jitter, lease, retention, max_body_bytes, idempotency_window, failed_retention,
        max_snooze, ordered, key_concurrency, concurrency, on_failure, rate, burst, key_rate);
    return v_created;
end;
$$;

comment on function symphony.create_queue is
$$Make sure that there is a queue with these settings. A setting that is null gets its default in a
new queue, and stays as it is in an old one.

Arguments  queue_name - 1 to 48 letters, digits and _ . : / -
           max_attempts - deliveries a message gets before it fails for good, 1 to 1000. The
               default of this and of the four settings of retries below is the retry policy *, see
               set_retry_policy()
           retry_delay - wait before the second attempt, up to a year
           retry_multiplier - factor by which the wait grows with each attempt, 1 to 100
           retry_max_delay - the longest wait, up to a year
           retry_jitter - random share of the wait, up or down, 0 to 1
           lease - how long a claim is held, 100 milliseconds to a day; default: 30 seconds
           retention - how long completed messages are kept, up to 100 years; default: 1 day
           max_body_bytes - the largest body, 1 to 268435455; default: 1048576
           idempotency_window - how long an idempotency key is in use, up to 100 years; default: 1
               day
           failed_retention - how long failed messages are kept, up to 100 years; default: 0, for
               ever
           max_snooze - how long a message may be put off by snooze(), up to 100 years; default: 7
               days
           ordered - true: messages with the same group_key are worked on one after the other, in
               the order in which they came; what did not succeed holds up its key. All have
               priority 5
           key_concurrency - how many messages with the same group_key may be in the hands of
               workers at a time, in any order, 1 to 10,000; default: 0, no limit
           concurrency - how many messages may be in the hands of workers at a time, 1 to 100,000;
               default: 0, no limit
           on_failure - what becomes of the key of an ordered message that failed for good.
               continue, the default: the next one is its turn; hold: all wait until it is replayed
               or removed
           rate - how many messages are handed out in what time, such as 100/1 s or 5/minute: 1 to
               1,000,000 in 1 millisecond to 360 days, and no more than a million a second; default:
               0, no limit
           burst - how many of them may be handed out at once, after a time without any, 1 to
               1,000,000; default: 0, as many as the rate names
           key_rate - the same as rate for the messages of each group_key; as many as it names may
               be handed out at once; default: 0, no limit
Returns    true if it was created, false if it was there
Raises     22023 invalid_parameter_value
Writes     symphony.queue, symphony.lane, symphony.claim, symphony.purge_position,
           symphony.tally, symphony.audit, and what configure_queue() writes
Access     operator$$;
