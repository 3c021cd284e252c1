create or replace function symphony._check_use(accesses text[], queues text[])
returns void
language plpgsql
stable
as $$
/*
 * It looks at the list alone, so it says the same of a queue that there is and one that there is not.
 */
declare
    v_queue_name text;
begin
    foreach v_queue_name in array coalesce(queues, '{}') loop
        if not symphony._is_listed(accesses, v_queue_name) then
            raise exception 'permission denied for queue "%"', coalesce(v_queue_name, '(null)')
                using errcode = '42501',
                      detail  = format('The role "%s" may use some queues, and this is not one of them.',
                                       symphony._caller()),
                      hint    = 'Ask the owner of the schema for it: select symphony.grant_access('
                                'role_name, access, queues), with all the queues that the role may use.';
        end if;
    end loop;
end;
$$;

comment on function symphony._check_use is
$$Refuse a caller who is limited to some queues and names another one.

Arguments  accesses - as for _is_listed()
           queues - those that it names
Raises     42501 insufficient_privilege
Access     private$$;
