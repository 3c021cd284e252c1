"""A message on its way out: middleware, the outbox of a handler, and the protocol of transports."""
