create or replace function symphony._seen_transactions(seen text)
returns int8multirange
language plpgsql
immutable
as $$
/*
 * A snapshot names what was running when it was taken; all others before its end had ended.
 */
declare
    v_seen pg_snapshot;
begin
    begin
        v_seen := seen::pg_snapshot;
    exception when invalid_text_representation then
        raise exception 'no preview has told %', quote_literal(seen)
            using errcode = '22023',
                  detail  = 'It tells what was there when somebody looked.',
                  hint    = 'Pass on what purge_preview() tells as seen, or leave it out.';
    end;
    return int8multirange(int8range(null, pg_snapshot_xmax(v_seen)::text::bigint)) - coalesce(
        (select range_agg(int8range(running::text::bigint, running::text::bigint, '[]'))
         from pg_snapshot_xip(v_seen) as running),
        '{}');
end;
$$;

comment on function symphony._seen_transactions is
$$The transactions that had ended when somebody looked.

Arguments  seen - a snapshot, as purge_preview() tells it
Returns    a multirange of transaction ids
Raises     22023 invalid_parameter_value
Access     private$$;
