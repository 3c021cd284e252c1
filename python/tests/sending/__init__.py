"""A message on its way out."""
