"""Which process this is, remembered: to ask the system at each step is felt in a dispatch."""

from __future__ import annotations

import os


class _Here:
    """`pid` is that of the process that looks; a child of a fork learns its own."""

    __slots__ = ("pid",)

    def __init__(self) -> None:
        self.look()

    def look(self) -> None:
        self.pid = os.getpid()


here = _Here()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=here.look)
