create or replace function symphony._end_when_idle()
returns void
language plpgsql
volatile
as $$
begin
    if current_setting('idle_in_transaction_session_timeout')::interval not between '1 ms' and '10 s' then
        perform set_config('idle_in_transaction_session_timeout', '10s', true);
    end if;
end;
$$;

comment on function symphony._end_when_idle is
$$See to it that the session ends when its transaction, which locks out others, is idle for 10
seconds. It ends sooner if the session says so itself. claim_batch() does the same.

Access     private$$;
