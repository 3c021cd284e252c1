create or replace function symphony._purge_gates()
returns void
language plpgsql
volatile
as $$
begin
    delete from symphony.gate
    using (
        select old.queue_name, old.gate_id
        from symphony.gate as old
        join symphony.queue on queue.queue_name = old.queue_name
        where not symphony._is_gated(queue)
          and not exists (select from symphony.claim
                          where claim.claim_id = any (old.open_claims) and claim.open_ids <> '{}')
        for update of old skip locked
    ) as known
    where gate.queue_name = known.queue_name and gate.gate_id = known.gate_id;
end;
$$;

comment on function symphony._purge_gates is
$$Remove the gates of queues that have no limits any more, when all that was in hands is settled.

Writes     symphony.gate
Access     private$$;
