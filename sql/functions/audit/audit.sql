create or replace function symphony.audit(
    action    text default null,
    role_name text default null,
    actor     text default null,
    since     timestamptz default null,
    until     timestamptz default null,
    subject   text default null,
    before_id bigint default null,
    at_most   integer default 50
)
returns setof symphony.audit
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform symphony._check_number('at_most', at_most, 10000, 'It is the number of rows to list.',
                                   'Leave it out for 50; the next ones come with before_id.');
    return query
    select a.*
    from symphony.audit as a
    where (audit.action is null or a.action = audit.action)
      and (audit.role_name is null or a.role_name = audit.role_name)
      and (audit.actor is null or a.actor = audit.actor)
      and (audit.since is null or a.done_at >= audit.since)
      and (audit.until is null or a.done_at < audit.until)
      and (audit.before_id is null or a.audit_id < audit.before_id)
      and (subject is null or exists (
          select from jsonb_each_text(a.arguments) as given where given.value = subject))
    order by a.audit_id desc
    limit at_most;
end;
$$;

comment on function symphony.audit is
$$Tell who did what, newest first. Calls that changed nothing are not among it.

Arguments  action - the name of a function
           role_name - the role that called
           actor - who it says to be
           since, until - it was done then; until itself is later
           subject - what it was done to: a queue, schedule, transport, pattern or role
           before_id - the last audit_id of the rows before these
           at_most - 1 to 10000
Returns    the columns of symphony.audit, by name
Raises     22023 invalid_parameter_value
Access     operator, observer$$;
