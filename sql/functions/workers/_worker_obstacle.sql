create or replace function symphony._worker_obstacle(
    queue_name text,
    now        timestamptz,
    busy_for   interval default '10 seconds',
    out code     text,
    out sentence text,
    out since    timestamptz,
    out doing    text,
    out command  text
)
language plpgsql
stable
as $$
declare
    v_known record;
    v_relay text;
begin
    select count(*) as known, max(w.seen_at) as seen_at, max(w.busy_since) as busy_since,
           count(*) filter (where w.is_asked) as asked, string_agg(distinct w.requested_by, ', ') as asked_by,
           count(*) filter (where not w.is_asked and w.is_heard) as heard,
           count(*) filter (where not w.is_asked and w.is_heard
                                  and (w.busy_since < now - busy_for) is not true) as free,
           (array_agg(concat_ws(': ', w.worker, symphony._doing(w.details)) order by w.busy_since)
                filter (where w.busy_since is not null))[1] as doing
    into v_known
    from (
        select known.*, symphony._busy_since(known.details, known.seen_at) as busy_since,
               known.request is not null
               or known.details ->> 'state' is not distinct from 'stopping' as is_asked,
               known.seen_at >= now - (symphony._thresholds()).silent as is_heard
        from symphony.worker as known
        where _worker_obstacle.queue_name = any (known.queues)
          and known.seen_at > now - interval '60 seconds'
          and not known.details ? 'transport'    -- it consumes at the broker
    ) as w;
    command := format('symphony-pg consume %s --app MODULE:APP', queue_name);
    if v_known.known = 0 then
        code := 'no_worker';
        sentence := format('No worker consumes queue "%s"', queue_name);
        v_relay := symphony._broker_of(queue_name);
        if v_relay is not null then
            sentence := format('No relay serves transport "%s"', v_relay);
            command := format('symphony-pg relay %s', v_relay);
        end if;
    elsif v_known.asked = v_known.known then
        code := 'workers_paused';
        sentence := format('The workers of queue "%s" are paused or stop', queue_name);
        doing := v_known.asked_by;
        command := format('symphony-pg workers resume --queue %s', queue_name);
    elsif v_known.heard = 0 then
        code := 'workers_silent';
        since := v_known.seen_at;
        sentence := format('The workers of queue "%s" have been silent for %s', queue_name,
                           symphony._duration(now - since));
    elsif v_known.free = 0 then
        code := 'workers_busy';
        since := v_known.busy_since;
        doing := v_known.doing;
        sentence := format('All slots for queue "%s" have been taken for %s', queue_name,
                           symphony._duration(now - since));
    else
        command := null;
    end if;
end;
$$;

comment on function symphony._worker_obstacle is
$$Why no worker of a queue takes messages; of the outbox of a broker, why no relay does.

Arguments  queue_name
           now
           busy_for - slots that are taken for less do not count
Returns    code - no_worker, workers_paused, workers_silent or workers_busy; null: one takes some
           sentence - without its end
           since - since when; null: that is not known
           doing - which handlers take the slots, or who has asked the workers to pause or stop
           command - what helps
Access     private$$;
