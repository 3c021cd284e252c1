create or replace function symphony._audit(action text, arguments jsonb, affected bigint default 1)
returns void
language sql
volatile
as $$
    insert into symphony.audit (done_at, role_name, login_name, actor, application, action, arguments,
                                affected)
    values (symphony._now(), symphony._caller(), session_user,
            symphony._actor(), nullif(pg_catalog.current_setting('application_name'), ''),
            _audit.action, pg_catalog.jsonb_strip_nulls(_audit.arguments), _audit.affected)
$$;

comment on function symphony._audit is
$$Note who did something. Each function that an operator may call does so when it has changed
something, in the same transaction.

Arguments  action - the name of the function
           arguments - what it was called with, without bodies and headers; nulls are left out
           affected - how many things that concerned; null: not counted
Writes     symphony.audit
Access     private$$;
