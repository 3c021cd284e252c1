create or replace function symphony._refuse_unknown_message(message_id bigint)
returns void
language plpgsql
stable
as $$
begin
    raise exception 'message % is not known', coalesce(message_id::text, '(null)')
        using errcode = 'SY003',
              detail  = 'It never existed, was removed, or was completed and its retention is over.',
              hint    = 'Take the id that enqueue() returned. A message whose transaction is not '
                        'committed cannot be seen by others.';
end;
$$;

comment on function symphony._refuse_unknown_message is
$$Say that there is no such message.

Arguments  message_id
Raises     SY003 unknown_message
Access     private$$;
