create or replace function symphony.why_not_running(message_id bigint)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now     timestamptz := symphony._now();
    v_message record;
    v_queue   record;
    v_lane_id integer;
    v_reason  text;
    v_before  bigint;
begin
    select * into v_message from symphony.message_status(why_not_running.message_id);
    if not found then
        return format('Message %s is not known: it never existed, its transaction is not committed, '
                      'it was cancelled, or it was completed and its retention is over.', message_id);
    end if;
    select * into v_queue from symphony.queue where queue.queue_name = v_message.queue_name;
    case v_message.status
        when 'completed' then
            return coalesce(format('It is done: %s finished it at ', coalesce(v_message.worker, 'a worker'))
                            || v_message.finished_at || '.', 'It is done.');
        when 'forwarded' then
            return symphony._forwarded_remark(v_message.queue_name, v_message.finished_at);
        when 'removed' then
            return format('It was removed by purge_queue() at %s.', v_message.finished_at);
        when 'failed' then
            return format('It failed for good at %1$s, in attempt %2$s of %3$s, and comes back by '
                          'symphony-pg failed retry %4$s, or select * from '
                          'symphony.retry_failed(''{%4$s}''): %5$s', v_message.failed_at,
                          v_message.attempt, v_message.max_attempts, message_id, v_message.last_error);
        when 'processing' then
            return coalesce(symphony._relay_remark(v_queue.queue_name, v_now), format(
                'It is running: %s has had it since %s, attempt %s of %s.%s',
                coalesce(v_message.worker, 'a worker'), v_message.claimed_at, v_message.attempt,
                v_message.max_attempts, symphony._lease_remark(v_message.claim_id, v_now)));
        when 'delayed' then
            return concat_ws(' ', symphony._wait_remark(v_message.available_at, v_message.last_error, v_now),
                             symphony._expiry_remark(why_not_running.message_id, v_now));
        when 'waiting' then
            return concat_ws(' ', symphony._key_remark(why_not_running.message_id, v_now),
                             symphony._expiry_remark(why_not_running.message_id, v_now));
        else
            null;
    end case;

    if v_queue.paused_at is not null then
        return format('Queue "%s" has been paused since %s by %s: select symphony.resume_queue(%L);',
                      v_queue.queue_name, v_queue.paused_at, v_queue.paused_by, v_queue.queue_name);
    end if;
    select m.lane_id into v_lane_id from symphony.message as m
    where m.message_id = why_not_running.message_id;
    select symphony._hold_remark(lane.lane_id) into v_reason
    from symphony.lane
    where lane.lane_id = v_lane_id and lane.is_held;
    if found then
        return v_reason;
    end if;
    v_reason := (select held.who from symphony._held_locks() as held
                 where held.lane_id = v_lane_id limit 1);
    if v_reason is not null then
        return format('Its lane is locked by %s.', v_reason);
    end if;
    if v_message.expires_at <= v_now then
        return symphony._expiry_remark(why_not_running.message_id, v_now);
    end if;
    v_reason := coalesce(symphony._relay_remark(v_queue.queue_name, v_now), nullif(concat_ws(
        ' ', symphony._limit_remark(v_queue.queue_name, v_now),
        (symphony._worker_remark(v_queue.queue_name, v_now)).remark), ''));
    if v_reason is not null then
        return v_reason;
    end if;
    v_before := symphony._pending_before(why_not_running.message_id, 10000);
    return concat_ws(
        ' ',
        format('Its turn comes after %s others that are pending in queue "%s".',
               case when v_before < 10000 then v_before::text else '10,000 or more' end, v_queue.queue_name),
        symphony._expiry_remark(why_not_running.message_id, v_now));
end;
$$;

comment on function symphony.why_not_running is
$$Say in one sentence what a message waits for.

Arguments  message_id - from enqueue()
Returns    a sentence. The message is done, failed, running, delayed or forwarded to a broker, or
               it is held up by a pause, a disabled transport, a lock, a broker that is down, by
               others of its key, by a limit of its queue, the lack of a worker, its pause or its
               silence, by handlers that take all slots, or by messages before it. A limit and the
               lack of a worker, and when it expires, are said together
Access     producer, consumer, operator, observer$$;
