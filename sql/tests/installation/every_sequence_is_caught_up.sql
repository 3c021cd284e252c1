-- rebase: each sequence of which rows were copied without it goes on behind them.
select plan(1);

select is_empty(
    $$select s.relname
      from pg_class as s
      where s.relnamespace = 'symphony'::regnamespace and s.relkind = 'S'
        and (select prosrc from pg_proc where oid = 'symphony._catch_up_sequences'::regproc)
            !~ coalesce((
                select format('symphony\.%s'', ''%s', t.relname, a.attname)
                from pg_depend as d
                join pg_class as t on t.oid = d.refobjid
                join pg_attribute as a on a.attrelid = t.oid and a.attnum = d.refobjsubid
                where d.objid = s.oid and d.deptype = 'i'), s.relname)$$,
    'no sequence is left out'
);
select * from finish();
