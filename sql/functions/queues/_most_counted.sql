create or replace function symphony._most_counted()
returns integer
language plpgsql
stable
as $$
begin
    return (select greatest(10, least(10000, 20000 / greatest(count(*), 1))) from symphony.queue);
end;
$$;

comment on function symphony._most_counted is
$$Where a look at all queues stops counting the messages of one, so that it costs about the same
however many there are.

Access     private$$;
