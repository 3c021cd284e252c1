"""The worker and its parts; `Worker` in worker.py is where to start reading."""

from .settler import Counts
from .worker import Worker

__all__ = ["Counts", "Worker"]
