"""Lets `python -m symphony_pg.cli` be `symphony-pg`."""

from . import main

main(prog_name="symphony-pg")
