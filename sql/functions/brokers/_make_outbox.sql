create or replace function symphony._make_outbox(transport_name text, queue_name text, ordered boolean)
returns void
language plpgsql
volatile
as $$
declare
    v_other text;
begin
    select t.transport_name into v_other
    from symphony.transport as t
    where t.queue_name = _make_outbox.queue_name and t.transport_name <> _make_outbox.transport_name
      and symphony._is_broker(t.transport_type);
    if found then
        raise exception 'queue "%" is the outbox of transport "%"', _make_outbox.queue_name, v_other
            using errcode = '55000',
                  detail  = 'A relay would not know to which broker its messages go.',
                  hint    = 'Give each transport a queue of its own, or leave queue_name out.';
    end if;
    if _make_outbox.queue_name is not null then
        perform symphony.create_queue(_make_outbox.queue_name,
                                      ordered => coalesce(_make_outbox.ordered, false));
    end if;
end;
$$;

comment on function symphony._make_outbox is
$$Make sure that a broker's transport has a queue for its messages, and that no other has it.

Arguments  transport_name
           queue_name - null: the name of the transport is, too, and will be refused
           ordered - whether messages of a key are forwarded in their order
Raises     22023 invalid_parameter_value
           55000 object_not_in_prerequisite_state - it is the outbox of another transport
Writes     what create_queue() writes
Access     private$$;
