"""PostgreSQL, from the side of Python: connections, calls of the functions, the installation."""
