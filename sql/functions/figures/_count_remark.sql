create or replace function symphony._count_remark(now timestamptz)
returns text
language plpgsql
stable
as $$
declare
    v_ticked_at timestamptz := (select tick.ticked_at from symphony.tick order by tick.tick_id desc limit 1);
begin
    if v_ticked_at > _count_remark.now - (symphony._thresholds()).tick then
        return 'tick() counts once a minute, or sooner where there is much, and more than is counted at '
               'a look came since.';
    end if;
    return format('What came since %s is not counted: %s.', coalesce(v_ticked_at::text, 'the start'),
                  symphony._tick_remark());
end;
$$;

comment on function symphony._count_remark is
$$Why a figure says only: so many at least.

Arguments  now
Returns    a sentence
Access     private$$;
