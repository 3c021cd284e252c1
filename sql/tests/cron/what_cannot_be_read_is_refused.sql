-- cron_next: each error names the field and the value, and what may stand there.  All are 22023.
begin;
select plan(71);

-- The error of an expression, or null if it can be read.
create function pg_temp.refusal(
    expression text, after timestamptz default '2026-05-05 00:00Z', timezone text default 'UTC',
    out code text, out message text, out detail text, out hint text)
language sql as $$
    select * from tap.error_of(format('select symphony.cron_next(%L, %L, %L)', expression, after, timezone))
$$;

select is(
    format('%s: %s. %s', r.code, r.message, r.detail),
    format('22023: invalid %s "%s" in cron expression. %s', field, value, reason),
    expression
)
from (values
    ('60 0 * * * *', 'second', '60', 'It is not between 0 and 59.'),
    ('60 * * * *', 'minute', '60', 'It is not between 0 and 59.'),
    ('0 24 * * *', 'hour', '24', 'It is not between 0 and 23.'),
    ('0 0 0 * *', 'day of month', '0', 'It is not between 1 and 31.'),
    ('0 0 32 * *', 'day of month', '32', 'It is not between 1 and 31.'),
    ('0 0 * 0 *', 'month', '0', 'It is not between 1 and 12.'),
    ('0 0 * 13 *', 'month', '13', 'It is not between 1 and 12.'),
    ('0 0 * * 8', 'weekday', '8', 'It is not between 0 and 7.'),
    ('99999999999 * * * *', 'minute', '99999999999', 'It is not between 0 and 59.'),
    ('1,2,60 * * * *', 'minute', '60', 'It is not between 0 and 59.'),
    ('5-60 * * * *', 'minute', '60', 'It is not between 0 and 59.'),
    ('60-5/2 * * * *', 'minute', '60', 'It is not between 0 and 59.'),
    ('H(0-60) * * * *', 'minute', '60', 'It is not between 0 and 59.'),
    ('0 0 32W * *', 'day of month', '32', 'It is not between 1 and 31.'),
    ('0 0 0W * *', 'day of month', '0', 'It is not between 1 and 31.'),
    ('0 0 L-31 * *', 'day of month', 'L-31', 'No month has more than 31 days.'),
    ('0 0 * * 8#1', 'weekday', '8', 'It is not between 0 and 7.'),
    ('0 0 * * 8L', 'weekday', '8', 'It is not between 0 and 7.'),
    ('*/0 * * * *', 'minute', '*/0', 'The step is not between 1 and 60.'),
    ('*/61 * * * *', 'minute', '*/61', 'The step is not between 1 and 60.'),
    ('0 */90 * * *', 'hour', '*/90', 'The step is not between 1 and 24.'),
    ('0 0 * * 1-5/8', 'weekday', '1-5/8', 'The step is not between 1 and 7.'),
    ('x * * * *', 'minute', 'X', 'It is neither a number nor a name here.'),
    ('0 0 * janu *', 'month', 'JANU', 'It is neither a number nor a name here.'),
    ('0 0 * mon *', 'month', 'MON', 'It is neither a number nor a name here.'),
    ('0 0 * * jan', 'weekday', 'JAN', 'It is neither a number nor a name here.'),
    ('0 0 * * monday', 'weekday', 'MONDAY', 'It is neither a number nor a name here.'),
    ('0 0 * * xL', 'weekday', 'X', 'It is neither a number nor a name here.'),
    ('0 0 * * L', 'weekday', 'L', 'It is neither a number nor a name here.'),
    ('0 0 * * x#1', 'weekday', 'X', 'It is neither a number nor a name here.'),
    ('0 0 L/2 * *', 'day of month', 'L', 'It is neither a number nor a name here.'),
    ('L * * * *', 'minute', 'L', 'It is neither a number nor a name here.'),
    ('0 0 * L *', 'month', 'L', 'It is neither a number nor a name here.'),
    ('H5 * * * *', 'minute', 'H5', 'It is neither a number nor a name here.'),
    ('H(5) * * * *', 'minute', 'H(5)', 'It is neither a number nor a name here.'),
    ('5) * * * *', 'minute', '5)', 'It is neither a number nor a name here.'),
    ('0 0 * * 5#0', 'weekday', '5#0', 'It cannot be read.'),
    ('0 0 * * 5#6', 'weekday', '5#6', 'It cannot be read.'),
    ('0 0 * * 1-5#2', 'weekday', '1-5#2', 'It cannot be read.'),
    ('0 0 5#2 * *', 'day of month', '5#2', 'It cannot be read.'),
    ('-5 * * * *', 'minute', '-5', 'It cannot be read.'),
    ('5- * * * *', 'minute', '5-', 'It cannot be read.'),
    ('1-2-3 * * * *', 'minute', '1-2-3', 'It cannot be read.'),
    ('1,,2 * * * *', 'minute', '', 'It cannot be read.'),
    (', * * * *', 'minute', '', 'It cannot be read.'),
    ('*/ * * * *', 'minute', '*/', 'It cannot be read.'),
    ('*/x * * * *', 'minute', '*/X', 'It cannot be read.'),
    ('*5 * * * *', 'minute', '*5', 'It cannot be read.'),
    ('1.5 * * * *', 'minute', '1.5', 'It cannot be read.'),
    ('? * * * *', 'minute', '?', 'It cannot be read.'),
    ('0 0 ?,5 * *', 'day of month', '?', 'It cannot be read.'),
    ('@reboot', 'shorthand', '@REBOOT', 'There is no such shorthand.'),
    ('@every', 'interval', '', 'It is not a positive number of d, h, m and s.'),
    ('@every 0s', 'interval', '0s', 'It is not a positive number of d, h, m and s.'),
    ('@every 90', 'interval', '90', 'It is not a positive number of d, h, m and s.'),
    ('@every 1.5h', 'interval', '1.5h', 'It is not a positive number of d, h, m and s.'),
    ('@every -1h', 'interval', '-1h', 'It is not a positive number of d, h, m and s.')
) as t (expression, field, value, reason), pg_temp.refusal(expression) as r;

select is(
    array_agg(r.code || ' ' || r.detail order by expression),
    '{22023 It has 0 fields.,22023 It has 4 fields.,22023 It has 7 fields.}',
    'there are five fields or six'
)
from unnest('{"",* * * *,* * * * * * *}'::text[]) as expression, pg_temp.refusal(expression) as r;

select is(r.code || ' ' || r.message, '22023 the cron expression is null', 'null is not an expression')
from pg_temp.refusal(null) as r;

select is(
    array_agg(r.code || ' ' || r.message order by after),
    '{22023 the argument after is -infinity,22023 the argument after is infinity,'
          '22023 the argument after is null}',
    'null and infinity are not moments'
)
from unnest('{null,infinity,-infinity}'::timestamptz[]) as after,
     pg_temp.refusal('* * * * *', after) as r;

select is(
    r.code || ' ' || r.message,
    format('22023 unknown time zone "%s"', coalesce(zone, '(null)')),
    'an offset, an abbreviation or a wrong name is not a time zone'
)
from unnest('{"",null,+02,Mars/Olympus,UTC+2,CEST,EST,foo5}'::text[]) as zone,
     pg_temp.refusal('* * * * *', timezone => zone) as r;

select is_empty(
    $$select zone from unnest('{utc,GMT,europe/paris,Japan,EST5EDT,Etc/GMT-2}'::text[]) as zone,
             pg_temp.refusal('@daily', timezone => zone) as r
      where r.code is not null$$,
    'every name is one, old ones and fixed offsets among them'
);

select is_empty(
    $$select expression from unnest('{60 * * * *,0 24 * * *,0 0 32 * *,0 0 1 13 *,0 0 * * 8,@x}'::text[])
             as expression, pg_temp.refusal(expression) as r
      where r.hint is null or r.hint !~ '\d'$$,
    'every hint shows what may be written'
);

select is(count(distinct r.hint), 6::bigint, 'each field has its own hint')
from unnest('{60 0 * * * *,60 * * * *,0 24 * * *,0 0 32 * *,0 0 1 13 *,0 0 * * 8}'::text[])
     as expression, pg_temp.refusal(expression) as r;

select * from finish();
rollback;
