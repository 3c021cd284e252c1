-- check: each invariant, when it is broken, is reported by its name.
select plan(20);

create function pg_temp.found() returns text language sql as $$
    select coalesce(string_agg(distinct invariant, ', ' order by invariant), 'none')
           || case when count(*) > count(distinct invariant || detail) then ', each twice' else '' end
    from symphony.check()
$$;
create function pg_temp.break_(how text) returns text language plpgsql as $$
declare
    v_found text;
begin
    begin
        execute how;
        v_found := pg_temp.found();
        raise exception 'undo' using errcode = 'TEST0';
    exception
        when sqlstate 'TEST0' then return v_found;
    end;
end $$;
select symphony.enqueue('A') from generate_series(1, 4);
select symphony.enqueue('D', delay => '1 hour');
create temporary table c as select * from symphony.claim_batch(batch_size => 2);
create temporary table d as select * from symphony.claim_batch(batch_size => 1);

select is(pg_temp.found(), 'none', 'nothing is broken at first');
select is(pg_temp.break_(how), invariant, what)
from (values
    ($$insert into symphony.delayed_message (message_id, available_at, enqueued_at, lane_id, message_type,
                                             body, headers)
       select message_id, now(), enqueued_at, lane_id, message_type, body, headers
       from symphony.message where message_id = 4$$,
     'a message is in one place', 'a message that is pending and delayed'),
    ($$update symphony.claim set open_ids = '{1,2}', size = 2 where claim_id = (select claim_id from d)$$,
     'a message is open in one claim', 'a message that two workers have'),
    ($$delete from symphony.message where message_id = 1$$,
     'an open message is behind its position', 'an open message that is not in the log'),
    ($$update symphony.message set txid = 1 + (select max(txid) from symphony.message) where message_id = 1$$,
     'an open message is behind its position', 'an open message that will be handed out once more'),
    ($$update symphony.claim set ahead = '{[0,)}', partial_txid = null, partial_message_id = null,
                                 open_ids = '{}', finished_at = now()
       where claim_id = (select claim_id from d)$$,
     'a position only moves on, an open message is behind its position', 'a position that was set back'),
    ($$update symphony.claim set partial_message_id = null where claim_id = (select claim_id from d)$$,
     'a position is whole, an open message is behind its position',
     'a position in the middle of a transaction that does not say where'),
    ($$update symphony.claim set open_ids = '{}' where claim_id = (select claim_id from d)$$,
     'a claim is finished when all is settled', 'a settled claim that is not finished'),
    ($$update symphony.claim set retried = 2 where claim_id = (select claim_id from d)$$,
     'a claim is finished when all is settled', 'a claim that settled more than it handed out'),
    ($$insert into symphony.lane (queue_name, priority, alone) values ('default', 1, true)$$,
     'a lane has a position', 'a lane without a position'),
    ($$update symphony.lane set is_unrouted = false where queue_name = 'default' and priority = 3$$,
     'a lane knows whether there are routes', 'a lane that would look for routes, though there are none'),
    ($$insert into symphony.handler (message_type, handler_name) values ('A', 'a')$$,
     'a lane knows whether there are routes', 'a lane that would not look for a handler'),
    ($$update symphony.lane set max_body_bytes = 1 where queue_name = 'default' and priority = 3$$,
     'a lane takes what its queue takes', 'a lane that takes less than its queue'),
    ($$update symphony.delayed_message set expires_at = now()$$,
     'a lane knows whether messages of it expire', 'a lane that hands out what has expired'),
    ($$update symphony.message set expires_at = now() where message_id = 4$$,
     'a lane knows whether messages of it expire', 'a lane that will do so with what is pending'),
    ($$update symphony.lane set expires = true;
       update symphony.message set expires_at = enqueued_at where message_id = 1$$,
     'what has expired is in no hands', 'a message that a worker got too late'),
    ($$update symphony.delayed_message set lane_id = 0$$,
     'a message has a lane', 'a message without a lane'),
    ($$update symphony.claim set ahead = '{[9000000000,)}'
       where size = 0 and claim_id = (select max(claim_id) from symphony.claim where size = 0)$$,
     'a position is of this server', 'a position of a server that has come further'),
    ($$insert into symphony.attempt (message_id, started_at, ended_at, replay, attempt, outcome, error)
       values (0, now(), now(), 0, 1, 'retry', 'x')$$,
     'a history is that of a message', 'attempts of a message that is gone'),
    ($$insert into symphony.replay (message_id, replayed_at) values (0, now())$$,
     'a history is that of a message', 'replays of a message that is gone')
) as broken (how, invariant, what);
select * from finish();
