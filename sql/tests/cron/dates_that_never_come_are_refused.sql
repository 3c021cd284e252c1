-- cron_next: an expression that no date fulfils is an error, found at once.
begin;
select plan(12);

select throws_ok(
    format('select symphony.cron_next(%L, now())', expression),
    '22023', format('cron expression "%s" never runs', expression), expression
)
from unnest(array[
    '0 0 30 2 *', '0 0 31 2 *', '0 0 31 2,4,6,9,11 *', '0 0 31 feb-feb *', '0 0 31W 4 *',
    '0 0 30W 2 *', '0 0 L-30 4 *', '0 0 L-29 2 *', '0 0 31 9 *', '* * * 30 2 ?'
]) as expression;

select lives_ok(
    $$select symphony.cron_next('0 0 30 2 mon', now())$$,
    'a weekday that suffices saves an impossible day'
);
select lives_ok($$select symphony.cron_next('0 0 31 2,3 *', now())$$, 'and so does one long month');

select * from finish();
rollback;
