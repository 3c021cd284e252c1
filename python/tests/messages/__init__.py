"""Message classes and their JSON."""
