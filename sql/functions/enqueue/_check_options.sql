create or replace function symphony._check_options(
    options         symphony.message_options,
    due             timestamptz,
    idempotency_key text
)
returns timestamptz
language plpgsql
stable
as $$
declare
    v_due  timestamptz := greatest(due, symphony._now());
    v_what text;
    v_hint text;
begin
    if num_nonnulls(options.expires_in, options.expires_at) = 2 then
        v_what := 'expires_in and expires_at exclude each other';
        v_hint := 'Give a time counted from when it is due, or the moment itself.';
    elsif not (options.expires_in > '0' and options.expires_in <= '100 years') then
        v_what := format('expires_in must be more than 0 and at most 100 years, not %s',
                         options.expires_in);
        v_hint := 'Leave it out if it may start at any time.';
    elsif not isfinite(options.expires_at) then
        v_what := format('expires_at must be a moment, not %s', options.expires_at);
        v_hint := 'Leave it out if it may start at any time.';
    elsif v_due > timestamptz '294276-12-31 00:00+00' - options.expires_in then
        v_what := format('it cannot expire %s after %s', options.expires_in, v_due);
        v_hint := 'Let it be due earlier: times end with the year 294276.';
    elsif options.expires_at <= due then
        v_what := format('it expires at %s, and may not start before %s', options.expires_at, due);
        v_hint := 'Let expires_at be later, or give expires_in: that counts from when it is due.';
    elsif options.on_expiry not in ('fail', 'drop') then
        v_what := format('on_expiry must be fail or drop, not "%s"', options.on_expiry);
        v_hint := 'With fail it is among the failed messages, with that reason; with drop it is removed.';
    elsif options.on_expiry is not null and num_nonnulls(options.expires_in, options.expires_at) = 0 then
        v_what := 'on_expiry is for a message that expires';
        v_hint := 'Give expires_in or expires_at, or leave on_expiry out.';
    elsif options.on_duplicate not in ('keep', 'replace') then
        v_what := format('on_duplicate must be keep or replace, not "%s"', options.on_duplicate);
        v_hint := 'With keep the first message stays as it is; with replace it becomes this one.';
    elsif not (options.idempotency_window > '0' and options.idempotency_window <= '100 years') then
        v_what := format('idempotency_window must be more than 0 and at most 100 years, not %s',
                         options.idempotency_window);
        v_hint := 'Leave it out to have that of the queue.';
    elsif idempotency_key is null and num_nonnulls(options.on_duplicate, options.idempotency_window) > 0
    then
        v_what := 'on_duplicate and idempotency_window are for a message with an idempotency_key';
        v_hint := 'Give an idempotency_key, or leave them out.';
    else
        return coalesce(options.expires_at, v_due + options.expires_in);
    end if;
    raise exception '%', v_what
        using errcode = '22023', detail = 'Nothing was enqueued.', hint = v_hint;
end;
$$;

comment on function symphony._check_options is
$$When a message expires, or what is wrong with that or with the options of its key.

Arguments  options - as enqueue() was told
           due - when it may start; null: at once
           idempotency_key
Returns    when it expires; null: never
Raises     22023 invalid_parameter_value
Access     private$$;
