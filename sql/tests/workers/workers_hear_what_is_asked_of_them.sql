-- request_workers, heartbeat: what an operator asks of workers is heard by those concerned, until they end.
select plan(20);
select symphony.create_queue('mail');
select is(symphony.heartbeat('a', '{default,mail}'), null, 'nothing is asked of a new worker');
select symphony.heartbeat('b', '{mail}'), symphony.heartbeat('c', '{default}');

select set_eq(
    $$select symphony.request_workers('pause', '{a}')$$,
    '{a}'::text[],
    'one that is named is asked'
);
select is(symphony.heartbeat('a', '{default,mail}'), 'pause', 'and hears it');
select is(symphony.heartbeat('a', '{default,mail}'), 'pause', 'again and again');
select is(symphony.heartbeat('b', '{mail}'), null, 'the others do not');
select set_eq(
    $$select symphony.request_workers('pause', queue_name => 'mail')$$,
    '{a,b}'::text[],
    'those of a queue are asked'
);
select is(symphony.heartbeat('c', '{default}'), null, 'and no others');
select set_eq($$select symphony.request_workers('resume')$$, '{a,b,c}'::text[], 'all are asked');
select is(symphony.heartbeat('b', '{mail}'), null, 'and go on');
select set_eq(
    $$select symphony.request_workers('stop', '{a,b}', 'default')$$,
    '{a}'::text[],
    'of those named only the ones of the queue'
);
select set_eq(
    $$select symphony.request_workers('pause')$$,
    '{b,c}'::text[],
    'who was asked to stop is not asked to pause'
);
select is(symphony.heartbeat('a', '{default}'), 'stop', 'it stops');
select set_eq(
    $$select symphony.request_workers('resume', '{a}')$$,
    '{}'::text[],
    'and is not asked to go on'
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
    'SY008', null, 'a worker that does not exist'
);
select throws_ok($$select symphony.request_workers('stop', array[null])$$, 'SY008', null, 'or has no name');
select throws_ok(
    $$select symphony.request_workers('sleep', '{a}')$$,
    '22023', null, 'or a command that does not'
);
select is((select count(*) from symphony.worker where request is not null), 2::bigint, 'changes nothing');
select * from finish();
