-- check: each invariant of order and limits, when it is broken, is reported by its name.
select plan(28);

create function pg_temp.found() returns text language sql as $$
    select coalesce(string_agg(distinct invariant, ', ' order by invariant), 'none') from symphony.check()
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
select symphony.create_queue('q', ordered => true);
select symphony.enqueue('A', queue_name => 'q', group_key => key) from unnest('{a,a,b,b,c,c}'::text[]) as key;
create temporary table first as select * from symphony.claim_batch('{q}', 1);
create temporary table second as select * from symphony.claim_batch('{q}');
select symphony.nack_with_backoff(claim_id, message_id, 'x') from second where group_key = 'c' limit 1;
create temporary table waiting as
select message_id, group_key from symphony.parked;

select is(pg_temp.found(), 'none', 'nothing is broken at first');
select set_eq('select group_key from waiting', $$values ('a'), ('c')$$, 'one waits for each key');
select is(pg_temp.break_(how), invariant, what)
from (values
    ($$delete from symphony.message using waiting
       where message.message_id = waiting.message_id and waiting.group_key = 'a'$$,
     'a parked message waits behind the position', 'a parked message that is not in the log'),
    ($$update symphony.message set txid = pg_current_xact_id()::text::bigint from waiting
       where message.message_id = waiting.message_id and waiting.group_key = 'a'$$,
     'a parked message waits behind the position', 'a parked message that will be handed out twice'),
    ($$update symphony.parked set group_key = 'b' where group_key = 'a'$$,
     'a parked message waits behind the position', 'a parked message that waits for another key'),
    ($$update symphony.parked set lane_id = (select min(lane_id) from symphony.lane
                                             where queue_name = 'default') where group_key = 'a'$$,
     'a parked message waits behind the position', 'a parked message that waits in another lane'),
    ($$update symphony.parked set queue_name = 'default' where group_key = 'a'$$,
     'a gate knows whether something is parked, a parked message waits behind the position, '
     'a parked message waits for somebody', 'a parked message that waits in another queue'),
    ($$insert into symphony.parked (queue_name, group_key, place, ordinal, lane_id, message_id)
       select queue_name, group_key, 1, 1, lane_id, message_id from symphony.parked where group_key = 'a'$$,
     'a parked message is in no hands', 'a message that is parked twice'),
    ($$insert into symphony.parked (queue_name, group_key, place, ordinal, lane_id, message_id)
       select 'q', 'a', 1, 1, m.lane_id, m.message_id
       from first join symphony.message as m on m.message_id = first.message_id$$,
     'a parked message is in no hands', 'a message in hands that is parked'),
    ($$delete from symphony.held_key; update symphony.gate set open_claims = '{}'
       where gate_id = (select max(gate_id) from symphony.gate);
       update symphony.claim set open_ids = '{}', finished_at = now() where open_ids <> '{}'$$,
     'a parked message waits for somebody', 'messages that nobody will ever look at'),
    ($$update symphony.held_key set message_id = (select message_id from waiting where group_key = 'c');
       update symphony.claim set open_ids = '{}', finished_at = now() where open_ids <> '{}';
       update symphony.gate set open_claims = '{}'; delete from symphony.parked where group_key = 'a'$$,
     'a parked message waits for somebody', 'a head that waits for itself'),
    ($$update symphony.held_key set message_id = 0$$,
     'a held key has its head', 'a key that is held by nothing'),
    ($$update symphony.held_key set message_id = (select message_id from first)$$,
     'a held key has its head', 'a key that is held by a message of another one'),
    ($$insert into symphony.held_key (queue_name, group_key, message_id, held_at)
       select 'q', 'b', message_id, now() from second where group_key = 'b' limit 1;
       update symphony.claim set open_ids = '{}', finished_at = now()
       where claim_id = (select claim_id from second limit 1)$$,
     'a held key has its head', 'a key that is held by what is done'),
    ($$update symphony.gate set open_claims = array_remove(open_claims, (select claim_id from first))$$,
     'a parked message waits for somebody, an open claim is at its gate', 'a claim that nobody counts'),
    ($$update symphony.gate set open_claims = open_claims || 1::bigint where queue_name = 'q'$$,
     'a claim at a gate is kept', 'a claim that was removed too early'),
    ($$update symphony.lane set is_gated = false where queue_name = 'q' and priority = 5$$,
     'a lane knows whether its queue has limits', 'a lane that lets everybody pass'),
    ($$update symphony.gate set has_parked = false; update symphony.claim set returned = 0$$,
     'a gate knows whether something is parked', 'a gate that passes over what waits'),
    ($$delete from symphony.gate where queue_name = 'q'$$,
     'a gate knows whether something is parked, a parked message waits for somebody, '
     'a rate is kept where there is one, an open claim is at its gate', 'a queue that has lost its gate')
) as broken (how, invariant, what);

select symphony.create_queue('r', rate => '10/1 s', key_rate => '1/1 s');
select symphony.enqueue('A', queue_name => 'r', group_key => key) from unnest('{a,a,b}'::text[]) as key;
select symphony.ack(claim_id) from symphony.claim_batch('{r}') limit 1;
select count(*) from symphony.claim_batch('{r}');
select is(pg_temp.found(), 'none', 'nothing of a queue with rates is broken at first');
select is((select count(*) from symphony.parked where queue_name = 'r'), 1::bigint, 'one waits for its time');
select is(pg_temp.break_(how), invariant, what)
from (values
    ($$update symphony.gate set full_at = now() + interval '1 hour' where queue_name = 'r'$$,
     'a bucket is never emptier than empty', 'a rate that allows nothing for an hour'),
    ($$update symphony.key_pace set full_at = now() + interval '1 hour'$$,
     'a bucket is never emptier than empty', 'a rate of a key that does so'),
    ($$update symphony.key_pace set next_at = null$$,
     'a parked message waits for somebody', 'a key whose time nobody knows'),
    ($$update symphony.gate set paced_until = now() + interval '1 hour' where queue_name = 'r'$$,
     'a parked message waits for somebody', 'a key whose time is over'),
    ($$insert into symphony.held_key (queue_name, group_key, message_id, held_at)
       select queue_name, group_key, message_id, now() from symphony.parked where queue_name = 'r'$$,
     'a held key has its head', 'a key that is held in a queue without order'),
    ($$insert into symphony.held_key (queue_name, group_key, message_id, held_at)
       select 'q', group_key, message_id, now() from symphony.parked where queue_name = 'r'$$,
     'a held key has its head', 'a key that is held by a message of another queue'),
    ($$update symphony.key_pace set queue_name = 'q'$$,
     'a parked message waits for somebody, a rate is kept where there is one', 'the pace of a queue without')
) as broken (how, invariant, what);

select * from finish();
