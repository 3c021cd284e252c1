-- request_workers, heartbeat: the workers concerned hear what an operator asks of them, until they end.
select plan(20);
select symphony.create_queue('mail');
select is(symphony.heartbeat('a', '{default,mail}'), null, 'nothing is asked of a new worker');
select symphony.heartbeat('b', '{mail}'), symphony.heartbeat('c', '{default}');

select set_eq(
    $$select symphony.request_workers('pause', '{a}')$$,
    '{a}'::text[],
    'a worker that is named is asked'
);
select is(symphony.heartbeat('a', '{default,mail}'), 'pause', 'it hears what is asked');
select is(symphony.heartbeat('a', '{default,mail}'), 'pause', 'it hears it again and again');
select is(symphony.heartbeat('b', '{mail}'), null, 'others do not hear it');
select set_eq(
    $$select symphony.request_workers('pause', queue_name => 'mail')$$,
    '{a,b}'::text[],
    'the workers of a queue are asked'
);
select is(symphony.heartbeat('c', '{default}'), null, 'workers of other queues do not hear it');
select set_eq($$select symphony.request_workers('resume')$$, '{a,b,c}'::text[], 'all workers are asked');
select is(symphony.heartbeat('b', '{mail}'), null, 'a worker that was asked to go on does so');
select set_eq(
    $$select symphony.request_workers('stop', '{a,b}', 'default')$$,
    '{a}'::text[],
    'only those of the queue are asked of the workers named'
);
select set_eq(
    $$select symphony.request_workers('pause')$$,
    '{b,c}'::text[],
    'a worker that was asked to stop is not asked to pause'
);
select is(symphony.heartbeat('a', '{default}'), 'stop', 'it hears that it is to stop');
select set_eq(
    $$select symphony.request_workers('resume', '{a}')$$,
    '{}'::text[],
    'it is not asked to go on'
);
select set_eq(
    $$select symphony.request_workers('stop', '{a}')$$,
    '{a}'::text[],
    'it may be asked to stop twice'
);
select symphony.stop_worker('a');
select is(symphony.heartbeat('a', '{default}'), null, 'a new process of the name was not asked');
select is_empty($$select symphony.request_workers('stop', '{}')$$, 'nobody is asked if nobody is named');

select throws_ok(
    $$select symphony.request_workers('stop', '{a,zoe}')$$,
    'SY008', null, 'a worker that does not exist is refused'
);
select throws_ok(
    $$select symphony.request_workers('stop', array[null])$$,
    'SY008', null, 'a worker without a name is refused'
);
select throws_ok(
    $$select symphony.request_workers('sleep', '{a}')$$,
    '22023', null, 'a command that does not exist is refused'
);
select is(
    (select count(*) from symphony.worker where request is not null),
    2::bigint, 'a refused request changes nothing'
);
select * from finish();
