create or replace function symphony._purge_inbox(now timestamptz, at_most integer)
returns integer
language plpgsql
volatile
as $$
declare
    v_gone integer;
begin
    delete from symphony.inbox as gone
    using (select i.transport_name, i.message_key
           from symphony.inbox as i
           left join symphony.transport as t on t.transport_name = i.transport_name
           where i.received_at < _purge_inbox.now
                 - coalesce((t.config ->> 'inbox_retention')::interval, '7 days')
             and i.received_at < _purge_inbox.now - interval '1 minute'
           order by i.received_at
           limit at_most
           for update of i skip locked) as old
    where gone.transport_name = old.transport_name and gone.message_key = old.message_key;
    get diagnostics v_gone = row_count;
    return v_gone;
end;
$$;

comment on function symphony._purge_inbox is
$$Forget deliveries that no broker hands out again: those of a week ago, or as the transport says.

Arguments  now
           at_most - so many of them
Returns    how many
Writes     symphony.inbox
Access     private$$;
