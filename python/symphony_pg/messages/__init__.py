"""Message types, and how messages become JSON."""
