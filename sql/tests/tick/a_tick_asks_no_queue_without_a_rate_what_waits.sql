-- tick: queues without a rate cost it no look at what waits there, however many there are.
select plan(3);

select tap.set_clock('2030-01-01 12:00:00+00');
select count(symphony.create_queue('q' || i)) from generate_series(1, 1000) as i;
select count(symphony.enqueue('A', queue_name => 'q' || i)) from generate_series(1, 1000) as i;
select symphony.idle('w', array(select 'q' || i from generate_series(1, 1000) as i));
select symphony.tick();
discard plans;

create function pg_temp.looks_of_a_tick()
returns bigint
language plpgsql
as $$
declare
    v_before bigint := coalesce(pg_stat_get_xact_function_calls(looked), 0)
        from (values ('symphony._has_pending(integer[],int8multirange)'::regprocedure)) as f (looked);
begin
    perform set_config('track_functions', 'all', true), tap.advance_clock('1 second'), symphony.tick();
    return coalesce(pg_stat_get_xact_function_calls(
        'symphony._has_pending(integer[],int8multirange)'::regprocedure), 0) - v_before;
end;
$$;

select is(pg_temp.looks_of_a_tick(), 0::bigint, 'no queue has a rate: it asks none');
select symphony.configure_queue('q7', rate => '5/1 s');
select cmp_ok(pg_temp.looks_of_a_tick(), '>', 0::bigint, 'one has: it does');
select cmp_ok(pg_temp.looks_of_a_tick(), '<=', 2::bigint, 'and of no other queue');

select * from finish();
