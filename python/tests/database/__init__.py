"""One call: what PostgreSQL answers, what both can hold, how it is installed."""
