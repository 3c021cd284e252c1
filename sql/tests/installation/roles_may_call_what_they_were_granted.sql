-- grant_access, revoke_access: a role gets functions, and never a table.
begin;
select plan(13);
create role sy_test_app;
grant usage on schema tap to sy_test_app;
set local role sy_test_app;
select throws_ok($$select symphony.enqueue('A')$$, '42501', null, 'nobody may call anything at first');
reset role;
select symphony.grant_access('sy_test_app', 'producer');
set local role sy_test_app;
select lives_ok($$select symphony.enqueue('A')$$, 'a producer may enqueue');
select throws_ok($$select symphony.claim_batch()$$, '42501', null, 'a producer may not claim');
select throws_ok($$select * from symphony.message$$, '42501', null, 'a producer may not read a table');
reset role;
select symphony.grant_access('sy_test_app', 'operator');
set local role sy_test_app;
select lives_ok(
    $$select * from symphony.queue_overview, symphony.pending_message, symphony.processing_message,
    symphony.failed_overview, symphony.worker_overview, symphony.schedule_overview$$,
    'an operator may read the views'
);
select lives_ok($$select symphony.create_queue('x')$$, 'an operator may make queues');
reset role;
select symphony.revoke_access('sy_test_app', 'operator');
set local role sy_test_app;
select throws_ok(
    $$select symphony.create_queue('y')$$,
    '42501', null, 'an operator whose access is revoked may not'
);
select lives_ok($$select symphony.enqueue('A')$$, 'what else was granted stays');
reset role;
select throws_ok(
    $$select symphony.grant_access('sy_nobody', 'producer')$$,
    '42704', null, 'an unknown role is refused'
);
select throws_ok(
    $$select symphony.grant_access('sy_test_app', 'root')$$,
    '22023', null, 'an unknown access is refused'
);
select throws_ok(
    $$select symphony.grant_access('sy_test_app', null)$$,
    '22023', null, 'an access that is null is refused'
);
select throws_ok(
    $$select symphony.revoke_access('sy_nobody', 'producer')$$,
    '42704', null, 'revoking from an unknown role is refused'
);
select is_empty(
    $$select function_name
      from symphony._access_list()
      except select proname
      from pg_proc where pronamespace = 'symphony'::regnamespace$$,
    'every function that is granted exists'
);
select * from finish();
rollback;
