"""Brokers: what is ready goes out through them, and comes in from them."""
