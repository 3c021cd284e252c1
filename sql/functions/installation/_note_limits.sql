create or replace function symphony._note_limits()
returns void
language plpgsql
volatile
as $$
/*
 * Replacing a function makes every session plan anew what it has built into its plans.
 */
declare
    v_has_limits boolean := exists (select from symphony.access where access.queues is not null);
begin
    if v_has_limits <> symphony._has_limits() then
        execute format('create or replace function symphony._has_limits() returns boolean '
                       'language sql stable as $limits$ select %s $limits$', v_has_limits::text);
    end if;
end;
$$;

comment on function symphony._note_limits is
$$Let _has_limits() say what is in symphony.access.

Writes     symphony._has_limits(), which is replaced if that is news
Access     private$$;
