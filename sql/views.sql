/*
 * Read-only views for people with psql.  A view may read tables that its reader may not, but
 * it calls functions in the reader's name: so these views call no private function.
 */
create or replace view symphony.queue_overview as
select stats.* from symphony.queue_stats() as stats;

comment on view symphony.queue_overview is
'What is in the queues, and what happened in them lately; see queue_stats().';


create or replace view symphony.pending_message as
select lane.queue_name, lane.priority, m.message_id, m.message_type, m.attempt + 1 as next_attempt,
       m.enqueued_at, m.available_at, m.last_error, m.body, m.headers
from symphony.lane
cross join lateral (
    select claim.ahead, claim.partial_txid, claim.partial_message_id
    from symphony.claim
    where claim.lane_id = lane.lane_id
    order by claim.claim_id desc
    limit 1
) as position
join symphony.message as m
    on m.lane_id = lane.lane_id
    and m.txid >= lower(position.ahead)
    and m.txid <@ position.ahead
    and not coalesce(m.txid = position.partial_txid
                     and m.message_id <= position.partial_message_id, false)
union all
select lane.queue_name, lane.priority, d.message_id, d.message_type, d.attempt + 1,
       d.enqueued_at, d.available_at, d.last_error, d.body, d.headers
from symphony.delayed_message as d
join symphony.lane on lane.lane_id = d.lane_id
union all
select lane.queue_name, lane.priority, m.message_id, m.message_type, m.attempt + 1,
       m.enqueued_at, m.available_at, m.last_error, m.body, m.headers
from symphony.parked as p
join symphony.message as m on m.message_id = p.message_id
join symphony.lane on lane.lane_id = m.lane_id;

comment on view symphony.pending_message is
'Messages that are still to be handed out: pending ones, those delayed until available_at, and those that '
'wait for others of their key.';


create or replace view symphony.processing_message as
select lane.queue_name, c.worker, c.claim_id, m.message_id, m.message_type, m.attempt + 1 as attempt,
       c.claimed_at, c.lease_until, m.body, m.headers
from symphony.claim as c
cross join lateral unnest(c.open_ids) as open (message_id)
join symphony.message as m on m.message_id = open.message_id
join symphony.lane on lane.lane_id = c.lane_id
where c.open_ids <> '{}'
  and c.lease_until > coalesce(
      (select tick.swept_until from symphony.tick order by tick.tick_id desc limit 1), '-infinity');

comment on view symphony.processing_message is
'Messages in the hands of workers, and until when. A lease in the past means that tick() is late.';


create or replace view symphony.failed_overview as
select lane.queue_name, lane.priority, f.message_id, f.message_type, f.reason, f.attempt,
       f.failed_at, f.error_class, f.last_error, f.worker, f.enqueued_at, f.body, f.headers
from symphony.failed_message as f
join symphony.lane on lane.lane_id = f.lane_id;

comment on view symphony.failed_overview is
'Messages that failed for good, with the error of their last attempt.';


create or replace view symphony.worker_overview as
select activity.* from symphony.worker_activity() as activity;

comment on view symphony.worker_overview is
'The workers that are alive and what each does now; see worker_activity().';


create or replace view symphony.schedule_overview as
select s.schedule_name, s.message_type, s.queue_name, s.schedule_type, s.schedule_config, s.timezone,
       s.enabled, s.next_run_at, s.last_run_at, s.run_count, s.max_runs, s.last_message_id,
       s.last_error, s.catch_up, s.overlap, s.jitter, s.starts_at, s.ends_at, s.body, s.headers,
       s.managed_by, s.state, s.paused_at, s.paused_by
from symphony.schedule as s;

comment on view symphony.schedule_overview is
'The schedules: when each runs next, when it last did, and in which state it is.';


create or replace view symphony.schedule_history as
select r.schedule_name, r.scheduled_at, r.fired_at, r.message_id, r.skipped
from symphony.schedule_run as r;

comment on view symphony.schedule_history is
'The runs of the schedules of the last 30 days, and why some were skipped.';
