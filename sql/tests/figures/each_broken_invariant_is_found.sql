-- check: each invariant of figures, when it is broken, is reported by its name.
select plan(9);

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
select symphony.enqueue('A') from generate_series(1, 1100);
select symphony.tick();
create temporary table held as select * from symphony.claim_batch(batch_size => 1);
create temporary table done as select * from symphony.claim_batch(batch_size => 1);
select symphony.ack(claim_id) from done;
update symphony.tick set fold_at = '-infinity';
select symphony.tick();

select is(pg_temp.found(), 'none', 'nothing is broken at first');
select is(pg_temp.break_(how), invariant, what)
from (values
    ($$update symphony.stretch set messages = messages + 1$$,
     'what is pending is counted', 'a stretch that says what is not so'),
    ($$delete from symphony.stretch$$,
     'what came in is pending or passed, what is pending is counted', 'a stretch that is lost'),
    ($$update symphony.tally set open_claims = '{}'$$,
     'a claim is counted once', 'an open claim that will never be counted as over'),
    ($$update symphony.tally set open_claims = open_claims || 1::bigint where open_claims <> '{}'$$,
     'a claim is counted before it goes', 'a claim that went before it was counted'),
    ($$update symphony.purge_position set claim_id = claim_id + 9223372036854775
       where lane_id = (select min(lane_id) from symphony.stretch)$$,
     'a claim is counted before it goes', 'a purge that went further'),
    ($$update symphony.figure set claimed = claimed + 1$$,
     'figures are no more than the tally', 'a figure that was never counted'),
    ($$update symphony.tally set passed = passed - 1 where passed > 0$$,
     'what came in is pending or passed', 'a message that came in and is nowhere'),
    ($$delete from symphony.tally where passed > 0$$,
     'a lane has a position', 'a lane without a tally')
) as broken (how, invariant, what);

select * from finish();
