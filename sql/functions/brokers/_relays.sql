create or replace function symphony._relays(transport_name text, now timestamptz)
returns table (state text, since timestamptz, last_error text, relays bigint, consumers bigint)
language sql
stable
as $$
    select case when told.up operator(pg_catalog.>) 0 then 'up' else told.state end,
           case when told.up operator(pg_catalog.=) 0 then told.since end,
           case when told.up operator(pg_catalog.=) 0 then told.last_error end,
           told.relays, told.consumers
    from (
        select pg_catalog.count(*) filter (where said.relay operator(pg_catalog.->>) 'state'
                                           operator(pg_catalog.=) 'up') as up,
               coalesce(
                   pg_catalog.min(said.relay operator(pg_catalog.->>) 'state') filter (
                       where said.relay operator(pg_catalog.->>) 'state'
                             operator(pg_catalog.<>) 'connecting'),
                   pg_catalog.min(said.relay operator(pg_catalog.->>) 'state')) as state,
               pg_catalog.min((said.relay operator(pg_catalog.->>) 'since')::timestamptz) as since,
               pg_catalog.min(said.relay operator(pg_catalog.->>) 'error') as last_error,
               pg_catalog.count(*) filter (where said.relay operator(pg_catalog.->>) 'transport'
                                           operator(pg_catalog.=) _relays.transport_name) as relays,
               pg_catalog.count(*) filter (where said.consumes operator(pg_catalog.=)
                                           _relays.transport_name) as consumers
        from symphony.worker
        cross join lateral (
            select worker.details operator(pg_catalog.->) 'relay' as relay,
                   worker.details operator(pg_catalog.->>) 'transport' as consumes) as said
        where worker.seen_at operator(pg_catalog.>) (
                  _relays.now operator(pg_catalog.-) (symphony._thresholds()).silent)
          and _relays.transport_name operator(pg_catalog.=) any (array[
              said.relay operator(pg_catalog.->>) 'transport', said.consumes])
    ) as told
$$;

comment on function symphony._relays is
$$What the relays of a transport say, those that were heard within the last 20 seconds.

Arguments  transport_name
           now
Returns    one row
           state - up, down or full; connecting: none knows yet; null: there is no relay
           since - since when, if it is down or full
           last_error - why
           relays - how many
           consumers - workers that consume from its broker
Access     private$$;
