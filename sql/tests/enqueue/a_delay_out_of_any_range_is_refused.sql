-- enqueue: a delay that no calendar holds is refused like any other that is out of range.
select plan(2);

select throws_ok(
    $$select symphony.enqueue('A', delay => '1000000 years')$$,
    '22023', null, 'a million years from now are refused'
);
select throws_ok(
    $$select symphony.enqueue('A', delay => '-1000000 years')$$,
    '22023', null, 'a million years ago are refused'
);
select * from finish();
