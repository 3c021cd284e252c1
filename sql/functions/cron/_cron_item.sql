create or replace function symphony._cron_item(
    field    text,
    low      integer,
    high     integer,
    item     text,
    hash_key text
)
returns integer[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
/*
 * The values of a field are a ring: 22-2 is 22, 23, 0, 1, 2, a step goes on
 * across the turn, and Sunday written as 7 falls on 0.
 */
declare
    v_ring   integer := high - low + 1;
    v_part   text[]  := regexp_match(
        item, '^(\*|H|(?:H\()?[A-Z0-9]+(?:-[A-Z0-9]+)?\)?)(?:/([0-9]{1,4}))?$');
    v_step   integer := coalesce(v_part[2]::integer, 1);
    v_bounds text[]  := string_to_array(regexp_replace(v_part[1], '^H\((.*-.*)\)$', '\1'), '-');
    v_first  integer := low;
    v_length integer;
    v_digest text;
    v_offset integer;
begin
    if v_part is null then
        perform symphony._cron_reject(field, item, 'It cannot be read.');
    elsif v_step not between 1 and v_ring then
        perform symphony._cron_reject(field, item,
                                      format('The step is not between 1 and %s.', v_ring));
    end if;

    if v_bounds[1] = '*' then
        v_length := v_ring - 1;
    elsif v_bounds[1] = 'H' then
        v_length := case field when 'day of month' then 27 else v_ring - 1 end;
    else
        v_first := symphony._cron_value(field, low, high, v_bounds[1]);
        v_length := case
            when v_bounds[2] is not null
                then symphony._cron_value(field, low, high, v_bounds[2]) - v_first
            when v_part[2] is not null then high - v_first
            else 0
        end;
        if v_length < 0 then
            v_length := v_length + v_ring;
        end if;
    end if;

    if v_part[1] ~ '^H(\(|$)' then
        v_digest := encode(sha256(convert_to(field || ':' || hash_key, 'UTF8')), 'hex');
        if v_part[2] is null then
            v_step := v_length + 1;
        end if;
        v_offset := ('x' || left(v_digest, 7))::bit(28)::integer % least(v_step, v_length + 1);
        v_first := v_first + v_offset;
        v_length := v_length - v_offset;
    end if;
    return array(select low + (v_first - low + i) % v_ring
                 from generate_series(0, v_length, v_step) as i);
end;
$$;

comment on function symphony._cron_item is
$$The values that one item of a cron field's list stands for.

Arguments  field - its name, for errors
           low - the least value
           high - the greatest value
           item - *, a, a-b, H or H(a-b), in capitals, perhaps with a /step
           hash_key - what H is drawn from
Returns    the values, in the order of the range
Raises     22023 invalid_parameter_value
Access     private$$;
