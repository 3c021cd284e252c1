-- worker_activity: it shows what the claims say of a worker, and what the worker says as far as they agree.
select plan(14);
select symphony.enqueue_batch('[{"message_type": "A"}, {"message_type": "B"}, {"message_type": "C"}]');
select symphony.heartbeat('w', '{default}', '{"pid": 7}');
select results_eq(
    $$select worker, state, open_claims, processing, running, details from symphony.worker_activity()$$,
    $$values ('w', 'idle', 0::bigint, 0::bigint, '[]'::jsonb, '{"pid": 7}'::jsonb)$$,
    'a worker with nothing in its hands is idle'
);
create temporary table claimed as select * from symphony.claim_batch(worker => 'w');
select results_eq(
    $$select state, open_claims, processing, running,
             claimed_at = (select max(claimed_at) from symphony.claim)
      from symphony.worker_activity()$$,
    $$values ('working', 1::bigint, 3::bigint, '[]'::jsonb, true)$$,
    'a worker that has claimed works'
);

select tap.advance_clock('2 seconds');
select symphony.heartbeat('w', '{default}', '{
    "done": 4,
    "running": [{"message_id": 1, "seconds": 0.5}, {"message_id": 2, "seconds": 60}, {"message_id": 99}]
}');
select is(
    (select jsonb_path_query_array(running, '$[*].message_type') from symphony.worker_activity()),
    '["B", "A"]', 'what it says it has begun is shown if it is in its hands, the longest first'
);
select ok(
    (select (running -> 0 ->> 'seconds')::numeric between 60 and 70 from symphony.worker_activity()),
    'what it has begun is shown with its time'
);
select is((select details from symphony.worker_activity()), '{"done": 4}', 'what else it says is shown');
select symphony.ack((select min(claim_id) from claimed), '{2}');
select is(
    (select jsonb_path_query_array(running, '$[*].message_id') from symphony.worker_activity()),
    '[1]', 'what is settled is shown no more'
);
select symphony.heartbeat('w', '{default}', '{
    "running": [{"message_id": 1, "seconds": "x"}, 7, null, {"message_id": "1"}]
}');
select is(
    (select running from symphony.worker_activity()),
    '[{"seconds": null, "message_id": 1, "message_type": "A"}]', 'nonsense is passed over'
);
select symphony.heartbeat('w', '{default}', '{"running": 7}');
select is((select running from symphony.worker_activity()), '[]', 'nonsense is passed over wherever it is');

select symphony.request_workers('pause');
select is(
    (select state from symphony.worker_activity()),
    'paused', 'a worker that was asked to pause is paused'
);
select symphony.request_workers('stop');
select is(
    (select state from symphony.worker_activity()),
    'stopping', 'a worker that was asked to stop stops'
);
select symphony.stop_worker('w'), symphony.heartbeat('w', '{default}', '{"state": "stopping"}');
select is(
    (select state from symphony.worker_activity()),
    'stopping', 'a worker that says that it stops stops'
);
select tap.advance_clock('23 seconds');
select is((select state from symphony.worker_activity()), 'silent', 'a worker is silent after 20 seconds');
select tap.advance_clock('15 seconds');
select is(
    (select processing from symphony.worker_activity()),
    0::bigint, 'a claim whose lease has ended is in nobody''s hands'
);
select is((select count(*) from symphony.worker_overview), 1::bigint, 'the view shows the same');
select * from finish();
