create or replace function symphony._was_copied(queues text[])
returns boolean
language plpgsql
volatile
as $$
begin
    perform symphony._check_queues(queues);
    if exists (select from symphony._home()) then
        return false;
    end if;
    perform symphony.rebase();
    return true;
end;
$$;

comment on function symphony._was_copied is
$$What a claim that has found nothing asks: whether the queues are there, and whether the positions
were those of another server. Then they are made this one's.

Arguments  queues
Returns    true: look again
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
Writes     what rebase() writes
Access     private$$;
