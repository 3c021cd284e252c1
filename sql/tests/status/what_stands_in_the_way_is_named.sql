-- obstacles: what stands in the way of all is told with the session that is behind it.
select plan(5);

select is_empty($$select * from symphony.obstacles()$$, 'nothing stands in the way');
select tap.elsewhere('open', $$set application_name = 'left open'$$);
select tap.elsewhere('open', 'begin');
select tap.elsewhere('open', 'select symphony.tick()');
select results_eq(
    $$select obstacle, detail ~ '^It is pid \d+ \(role postgres, left open, idle in transaction '
                                'for .*\)\.$'
      from symphony.obstacles()$$,
    $$values ('one session has the turn tick', true)$$,
    'a tick that was left open'
);
select tap.elsewhere('open', 'rollback');

select symphony.enqueue('A', priority => 7);
select tap.elsewhere('open', 'begin');
select tap.elsewhere('open', 'select symphony.cancel(1)::text');
select results_eq(
    $$select obstacle, detail ~ '^It is the one of priority 7, held by pid \d+ \(role postgres, '
      from symphony.obstacles()$$,
    $$values ('a lane of queue default is locked', true)$$,
    'a lane that was left locked'
);
select tap.elsewhere('open', 'rollback');

-- A session of whom no more may be seen.
create role sy_obstacles login superuser;
select tap.elsewhere('open', 'set session authorization sy_obstacles');
select tap.elsewhere('open', 'begin');
select tap.elsewhere('open', 'select symphony.tick()');
create role sy_observer;
select symphony.grant_access('sy_observer', 'observer');
set role sy_observer;
select matches(
    (select detail from symphony.obstacles()), '^It is pid \d+ \(role ', 'an observer sees who it is'
);
reset role;
select tap.elsewhere('open', 'rollback');
select is_empty($$select * from symphony.obstacles()$$, 'and nothing stands in the way any more');

select tap.dblink_disconnect('open');
select symphony.revoke_access('sy_observer', 'observer');
drop role sy_observer, sy_obstacles;
select * from finish();
