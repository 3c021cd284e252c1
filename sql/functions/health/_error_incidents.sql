create or replace function symphony._error_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
/*
 * What is read has an end: 2,000 attempts of the last 5 minutes, and 6 times as many of the half hour before,
 * so that no rise is taken for one that is cut off.
 */
declare
    v_most record := symphony._thresholds();
begin
    return query
    with lately as materialized (
        select a.error_class, a.ended_at, a.message_id, a.error
        from symphony.attempt as a
        where a.ended_at > now - interval '5 minutes'
        order by a.ended_at desc
        limit 2000
    ), risen as (
        select l.error_class, count(*) as errors, min(l.ended_at) as since,
               (array_agg(l.message_id order by l.ended_at desc))[1] as message_id
        from lately as l
        group by l.error_class
        having count(*) >= v_most.errors
    ), before as materialized (
        select a.error_class
        from symphony.attempt as a
        where a.ended_at > now - interval '35 minutes' and a.ended_at <= now - interval '5 minutes'
          and exists (select from risen)
        order by a.ended_at desc
        limit 12000
    )
    select 'warning', 'errors_rise', risen.error_class,
           format('%s errors of class %s in 5 minutes; %s in the 30 before.',
                  case when risen.errors < 2000 then risen.errors::text else '2000 or more' end,
                  coalesce(risen.error_class, '(unnamed)'), usual.errors),
           risen.since, format('The last one is of message %s.', risen.message_id),
           format('symphony-pg message show %s', risen.message_id)
    from risen
    cross join lateral (
        select count(*) as errors from before where before.error_class is not distinct from risen.error_class
    ) as usual
    where risen.errors >= v_most.times * usual.errors / 6.0;
end;
$$;

comment on function symphony._error_incidents is
$$Classes of errors of which there are suddenly many.

Arguments  now
Access     private$$;
