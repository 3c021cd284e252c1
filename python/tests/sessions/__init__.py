"""What many sessions do at once, and the functions against a model of their own."""
