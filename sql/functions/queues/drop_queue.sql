create or replace function symphony.drop_queue(queue_name text, force boolean default false)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '10s'
as $$
/*
 * Others lock messages, claims and lanes in whatever order their transactions need them, so this
 * one gives way: it lets go of all it has long before anybody looks for a deadlock, and tries again.
 * Meanwhile those who enqueue go on.
 *
 * It waits for a vacuum first, with a lock that is in nobody else's way: an autovacuum gives way
 * to whoever waits longer than deadlock_timeout.
 */
declare
    v_until timestamptz := symphony._now() + interval '10 seconds';
begin
    perform symphony._check_isolation();
    loop
        begin
            lock table symphony.message, symphony.delayed_message in share update exclusive mode;
            return symphony._drop_queue(queue_name, force);
        exception when lock_not_available or deadlock_detected then
            if symphony._now() >= v_until then
                raise exception 'queue "%" is in use', queue_name
                    using errcode = '55006',
                          detail  = 'For 10 seconds there was always a transaction that had sent messages, '
                                    'or settled some of this queue, and was not committed; or a vacuum.',
                          hint    = 'Stop its workers, or end what has been open for long: select pid, '
                                    'xact_start, query from pg_stat_activity where xact_start < now() - '
                                    'interval ''10 seconds''; prepared ones are in pg_prepared_xacts.';
            end if;
        end;
        perform pg_sleep(0.05 + 0.05 * random());
    end loop;
end;
$$;

comment on function symphony.drop_queue is
$$Remove a queue, its settings and its history.

Arguments  queue_name - the queue
           force - true: with the messages it holds
Returns    true, or false if there was no such queue
Raises     SY002 queue_not_empty
           SY011 wrong_isolation_level
           55000 object_not_in_prerequisite_state - transports lead to the queue
           55006 object_in_use - others used the queue all the time, for 10 seconds
Writes     every table that has messages of the queue, symphony.audit
Locks      enqueueing into any queue, from when it has all that it needs until the transaction ends
Access     operator$$;
