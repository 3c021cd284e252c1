create or replace function symphony._check_failed_filter(queue_name text, at_most integer)
returns void
language plpgsql
stable
as $$
begin
    if queue_name is not null and not exists (
        select from symphony.queue where queue.queue_name = _check_failed_filter.queue_name)
    then
        perform symphony._refuse_queue(queue_name);
    end if;
    perform symphony._check_number(
        'at_most', at_most, 1000000, 'It says how many failed messages one call may deal with.',
        'Call again for the others.');
end;
$$;

comment on function symphony._check_failed_filter is
$$Refuse a filter of failed messages whose queue does not exist, or whose number is out of range.

Arguments  queue_name, at_most - as for failed_messages()
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
Access     private$$;
