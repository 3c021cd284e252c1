"""Tests of the package, in folders as its own; helpers.py and conftest.py are for all of them."""
