"""Where envelopes may go: to PostgreSQL, through a route, or to handlers in this process."""
