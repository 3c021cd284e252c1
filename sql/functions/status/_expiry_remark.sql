create or replace function symphony._expiry_remark(message_id bigint, now timestamptz)
returns text
language plpgsql
stable
as $$
begin
    return (
        select format(
            case when m.expires_at > now then 'If it does not start by %s, it %s.'
                 else 'It expired at %s: it %s as soon as a worker comes to it.' end,
            m.expires_at,
            case when m.on_expiry = 'drop' then 'is dropped' else 'fails' end)
        from (
            select d.message_id, d.expires_at, d.on_expiry from symphony.delayed_message as d
            union all
            select l.message_id, l.expires_at, l.on_expiry from symphony.message as l
        ) as m
        where m.message_id = _expiry_remark.message_id and m.expires_at is not null);
end;
$$;

comment on function symphony._expiry_remark is
$$Until when a message may start, as a sentence for why_not_running().

Arguments  message_id
           now
Returns    null: at any time
Access     private$$;
