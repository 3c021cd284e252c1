"""Tests of the package, in folders as its own; helpers.py and conftest.py are for all of them."""

import pytest

# Let a helper that fails show values, as a test does.
pytest.register_assert_rewrite(
    *(f"{__name__}.{each}" for each in ("helpers", "cli", "sessions", "worker"))
)
