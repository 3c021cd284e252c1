create or replace function symphony._is_ahead(
    txid               bigint,
    message_id         bigint,
    ahead              int8multirange,
    partial_txid       bigint,
    partial_message_id bigint
)
returns boolean
language sql
immutable
as $$
    select txid operator(pg_catalog.<@) ahead
       and not (txid operator(pg_catalog.=) partial_txid
                and message_id operator(pg_catalog.<=) partial_message_id) is true
$$;

comment on function symphony._is_ahead is
$$Whether a message is still to be handed out.

Arguments  txid - of the message
           message_id - of the message
           ahead - of the claim that is the position
           partial_txid - of the same
           partial_message_id - of the same
Access     private$$;
