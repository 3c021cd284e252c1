-- tick: it looks back no further than something may still be committed, and finds that by the next tick.
select plan(10);

select tap.set_clock('2030-01-01 12:00:00+00');
create procedure pg_temp.ticks(count integer) language plpgsql as $$
begin
    for i in 1 .. ticks.count loop
        update symphony.tick set full_sweep_at = '-infinity';    -- however long a sweep takes here
        perform tap.advance_clock('1 s');
        commit;
        perform symphony.tick(purge => false);
        commit;
    end loop;
end $$;
create function pg_temp.found(ticks integer) returns bigint language sql as $$
    select sum(promoted + recovered)
    from (select * from symphony.tick order by tick_id desc limit found.ticks) as last
$$;
create function pg_temp.closed_for() returns interval language sql as $$
    select case when isfinite(closed_until) then symphony._now() - closed_until else '1 day' end
    from symphony.tick order by tick_id desc limit 1
$$;
-- Transactions of other databases of this server hold it up, too.
create procedure pg_temp.ticks_until_short() language plpgsql as $$
begin
    for i in 1 .. 3000 loop
        call pg_temp.ticks(1);
        exit when pg_temp.closed_for() <= '11 seconds';
        perform pg_sleep(0.01);
    end loop;
end $$;

call pg_temp.ticks_until_short();
select is(
    pg_temp.closed_for(), '11 seconds',
    'the last but one tick is where a sweep begins, and a little before'
);

-- A delayed message.
select tap.elsewhere('producer', 'begin');
select tap.elsewhere('producer', $$select symphony.enqueue('A', delay => '1 s')$$);
call pg_temp.ticks(20);
select is(pg_temp.found(20), 0::bigint, 'a message that is not committed is not found');
select cmp_ok(
    pg_temp.closed_for(), '>', interval '20 seconds',
    'as long as its transaction runs, sweeps go back to the time before'
);
select tap.elsewhere('producer', 'commit');
call pg_temp.ticks(1);
select is(pg_temp.found(1), 1::bigint, 'it is found by the next tick');
call pg_temp.ticks_until_short();
select is(pg_temp.closed_for(), '11 seconds', 'then sweeps are short again');

-- A claim whose row is locked when its lease ends.
select claim_id from symphony.claim_batch(worker => 'w', lease => '1 s') \gset
select tap.elsewhere('worker', 'begin');
select tap.elsewhere('worker', format('select symphony.ack(%s)', :claim_id));
call pg_temp.ticks(20);
select is(pg_temp.found(20), 0::bigint, 'an ack that is not committed holds off the end of a lease');
select tap.elsewhere('worker', 'rollback');
call pg_temp.ticks(1);
select is(pg_temp.found(1), 1::bigint, 'when it is rolled back, the next tick takes the message back');

-- What nobody reckons with.
call pg_temp.ticks(3);
select claim_id from symphony.claim_batch(worker => 'w', lease => '1 h') \gset
update symphony.claim set lease_until = symphony._now() - interval '30 seconds' where claim_id = :claim_id;
call pg_temp.ticks(60);
select is(pg_temp.found(60), 1::bigint, 'once a minute a sweep goes back to the beginning');

-- Many claims that are over.
insert into symphony.claim (lane_id, claimed_at, lease_until, finished_at, size, ahead, open_ids)
select lane_id, now(), symphony._now() - i * interval '1 hour', now(), 1, '{[0,)}', '{}'
from (select min(lane_id) as lane_id from symphony.lane) as one, generate_series(1, 5000) as i;
select symphony._fold(null, symphony._now());
select tap.set_clock('2030-01-01 13:00:00+00');
call pg_temp.ticks_until_short();
update symphony.tick set full_sweep_at = '-infinity';
select cmp_ok(
    tap.buffers('select symphony.tick(purge => false)', 5), '<', 1000,
    'a tick touches few buffers, however many claims are over'
);
select is(
    (select count(*) from symphony.tick where swept_xid is null), 0::bigint,
    'each tick tells which transactions come after it'
);
select * from finish();
