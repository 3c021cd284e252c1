"""Whole systems over minutes, with other programs, broken on purpose."""
