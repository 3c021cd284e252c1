"""One call of a handler, and what it may ask for."""
