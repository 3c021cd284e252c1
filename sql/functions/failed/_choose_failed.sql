create or replace function symphony._choose_failed(
    choice  symphony.failed_choice,
    at_most integer,
    dry_run boolean
)
returns bigint[]
language plpgsql
volatile
as $$
/*
 * The rows stay locked, and the rows that another operator holds are left out, so no message is
 * replayed twice.  The queue is locked first, as drop_queue() does.
 */
declare
    v_filters integer := num_nonnulls(choice.queue_name, choice.message_type, choice.error_class,
                                      choice.since, choice.until, choice.search, choice.up_to_id);
    v_lane_id integer;
    v_chosen  bigint[] := '{}';
begin
    if (choice.message_ids is not null)::integer + (choice.everything is true)::integer
       + (v_filters > 0)::integer <> 1
    then
        raise exception 'it is not clear which failed messages are meant'
            using errcode = '22023',
                  detail  = 'Give one of ids, a filter and everything; none or several were given.',
                  hint    = 'Give message_ids, or filters such as error_class, or everything => true.';
    end if;
    perform symphony._check_failed_filter(choice.queue_name, at_most);
    if choice.message_ids is not null or dry_run then
        return array(
            select f.message_id
            from symphony.failed_message as f
            join symphony.lane on lane.lane_id = f.lane_id
            join symphony.queue on queue.queue_name = lane.queue_name
            where f.message_id = any (choice.message_ids)
            order by f.message_id
            for key share of queue for update of f);
    end if;

    for v_lane_id in
        select lane.lane_id
        from symphony.lane
        join symphony.queue on queue.queue_name = lane.queue_name
        where queue.queue_name = coalesce(choice.queue_name, queue.queue_name)
        order by lane.lane_id
        for key share of queue
    loop
        v_chosen := v_chosen || array(
            select f.message_id
            from symphony.failed_message as f
            where f.lane_id = v_lane_id
              and f.failed_at >= coalesce(choice.since, '-infinity')
              and f.failed_at <= coalesce(choice.until, 'infinity')
              and f.message_id <= coalesce(choice.up_to_id, 9223372036854775807)
              and symphony._failed_matches(f, choice.message_type, choice.error_class, choice.search)
            order by f.failed_at, f.message_id
            limit at_most - cardinality(v_chosen)
            for update skip locked);
        exit when cardinality(v_chosen) >= at_most;
    end loop;
    return v_chosen;
end;
$$;

comment on function symphony._choose_failed is
$$Find and lock the failed messages that an operator means, the oldest of each lane first.

Arguments  choice - which these are
           at_most - as for retry_failed()
           dry_run - true: look for ids only
Returns    their ids, at most at_most of a filter
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
Locks      the rows of these messages, and their queues against drop_queue()
Access     private$$;
