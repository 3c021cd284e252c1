-- The house rules that the catalog can prove are kept.  tools/lint_sql.py checks those of the files.
begin;
select plan(14);

create temporary view function as
select p.*, p.oid::regprocedure::text as name
from pg_proc p
where p.pronamespace = 'symphony'::regnamespace;

create temporary view relation as
select c.oid, c.oid::regclass::text as name, c.relkind, c.relname
from pg_class c
where c.relnamespace = 'symphony'::regnamespace and c.relkind in ('r', 'p', 'v', 'm');

select isnt_empty(
    $$select from function$$,
    'Symphony is installed'
);

select is_empty(
    $$select name from function where obj_description(oid, 'pg_proc') is null$$,
    'every function has a comment'
);

select is_empty(
    $$select name from relation where obj_description(oid, 'pg_class') is null$$,
    'every table and view has a comment'
);

select is_empty(
    $$select r.name, a.attname
      from relation r
      join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
      where r.relkind in ('r', 'p') and col_description(r.oid, a.attnum) is null$$,
    'every column of a table has a comment'
);

select is_empty(
    $$select name from function
      where prosecdef
        and 'search_path=pg_catalog, pg_temp' <> all (coalesce(proconfig, '{}'))$$,
    'every security definer pins its search path'
);

select is_empty(
    $$select f.name
      from function f
      join symphony._access_list() as listed on listed.function_name = f.proname
      where f.prokind = 'f'
        and 'search_path=pg_catalog, pg_temp' <> all (coalesce(f.proconfig, '{}'))$$,
    'every function that others may call pins its search path; a procedure that commits cannot'
);

select is_empty(
    $$select f.name, setting
      from function f,
           unnest('{"DateStyle=ISO, MDY",IntervalStyle=postgres,TimeZone=UTC,extra_float_digits=1,jit=off,
                    standard_conforming_strings=on}'::text[]) as setting
      where ('search_path=pg_catalog, pg_temp' = any (f.proconfig) or f.proname = '_enqueue_other')
        and f.proname <> 'enqueue'
        and setting <> all (f.proconfig)$$,
    'what a session has set changes nothing that a function does'
);

select is_empty(
    $$select f.name
      from function f, aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a
      where a.grantee = 0$$,
    'PUBLIC executes nothing'
);

select is_empty(
    $$select r.name, a.privilege_type
      from relation r
      join pg_class c on c.oid = r.oid, aclexplode(c.relacl) a
      where a.grantee = 0$$,
    'PUBLIC reads and writes no table'
);

select is_empty(
    $$select r.name, c.conname
      from relation r
      join pg_constraint c on c.conrelid = r.oid
      where not starts_with(c.conname, r.relname || '_')$$,
    'every constraint starts with the name of its table'
);

select is_empty(
    $$select r.name, i.indexrelid::regclass
      from relation r
      join pg_index i on i.indrelid = r.oid
      join pg_class c on c.oid = i.indexrelid
      where not starts_with(c.relname, r.relname || '_')
         or (c.relname like '%\_idx' and obj_description(c.oid, 'pg_class') is null)$$,
    'every index starts with the name of its table and says which query it serves'
);

select is_empty(
    $$select name, lines
      from function, cardinality(string_to_array(btrim(prosrc, e'\n'), e'\n')) as lines
      where lines > 80$$,
    'no function body is longer than 80 lines'
);

select is_empty(
    $$select proname from function group by proname having count(*) > 1$$,
    'no function is overloaded'
);

select is_empty(
    $$select r.name, a.attname, format_type(a.atttypid, a.atttypmod)
      from relation r
      join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
      where a.atttypid = 'timestamp'::regtype
         or (a.attname ~ '_(at|until)$') <> (a.atttypid = 'timestamptz'::regtype)$$,
    'every time is a timestamptz and ends in _at or _until'
);

select * from finish();
rollback;
