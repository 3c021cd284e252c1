"""One call of a handler: what is around it, what it gets, and what its errors mean."""
