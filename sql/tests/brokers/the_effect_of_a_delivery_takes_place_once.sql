-- first_receipt: the effect of a delivery takes place once, however often the broker hands it out.
select plan(7);

select symphony.create_transport('orders', 'rabbitmq', config => '{"inbox_retention": "1 hour"}'),
       symphony.create_transport('mail', 'rabbitmq');
select ok(symphony.first_receipt('orders', '7'), 'the first receipt may take effect');
select ok(not symphony.first_receipt('orders', '7'), 'the second may not');
select ok(symphony.first_receipt('mail', '7'), 'another transport knows nothing of that');

select tap.elsewhere('one', 'begin');
select is(tap.elsewhere('one', $$select symphony.first_receipt('orders', '8')$$), 't', 'while one is at it');
select tap.start_elsewhere('two', $$select symphony.first_receipt('orders', '8')$$);
select tap.elsewhere('one', 'rollback');
select is(tap.result_from('two'), 't', 'another one waits, and gets it if the first has not committed');

select tap.advance_clock('2 hours');
select symphony.purge();
select results_eq(
    $$select transport_name, message_key from symphony.inbox$$, $$values ('mail', '7')$$,
    'a receipt is forgotten after the retention of its transport'
);
select tap.advance_clock('8 days');
select symphony.purge();
select is_empty($$select from symphony.inbox$$, 'which is a week unless it says otherwise');
select * from finish();
