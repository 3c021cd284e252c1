create or replace function symphony.note(remark text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if coalesce(remark, '') = '' or length(remark) > 1000 then
        raise exception 'remark must be a text of 1 to 1000 characters'
            using errcode = '22023',
                  detail  = 'Nothing was noted.',
                  hint    = 'Write for example note(''the mail server is down, queue mail is paused'').';
    end if;
    perform symphony._audit('note', jsonb_build_object('remark', remark));
end;
$$;

comment on function symphony.note is
$$Write a remark among what was done, for whoever reads it later.

Arguments  remark - 1 to 1000 characters
Raises     22023 invalid_parameter_value
Writes     symphony.audit
Access     operator$$;
