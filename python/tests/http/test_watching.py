"""Memory while people watch: an hour of it, shortened.

What is read every 2 seconds is read every 20 milliseconds here, as fast as the database answers, so
that a minute (WATCH_SECONDS=60, with -s to see the figures) has about the reads of an hour.
"""

import gc
import os
import statistics
import threading
import time
import tracemalloc
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from symphony_pg import Client, Symphony
from symphony_pg.http.dashboard import database
from symphony_pg.http.figures import Cached, CachedByName
from tests.http.helpers import VIEWER, bearer
from tests.http.test_browser import address
from tests.http.test_dashboard import asked, filled

__all__ = ["address", "asked", "filled"]

SECONDS = float(os.environ.get("WATCH_SECONDS", "10"))
VIEWERS = 4
QUEUES = 60  # more than are kept
LOOKS_AN_HOUR = 20 * 1800  # of 20 viewers, every 2 seconds
READS_AN_HOUR = 5 * 1800
MOST = 1_000_000  # bytes; a minute has brought 70,000
MOST_AN_HOUR = 8_000_000


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let time go a hundred times faster for what is read again and again."""
    monkeypatch.setattr(Cached.__init__, "__defaults__", (0.02,))
    monkeypatch.setattr(CachedByName.__init__, "__defaults__", (0.02, 50))
    monkeypatch.setattr(database, "LINES_ARE_FRESH", 0.3)
    monkeypatch.setattr(database, "PAST_IS_FRESH", 0.1)


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def _resident() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_memory_is_flat_while_people_watch(
    traced: None, app: Symphony, filled: Client, address: str, asked: list[str]
) -> None:
    for number in range(QUEUES):
        filled.create_queue(f"q{number}")
    pages = ["/", "/failed", "/workers", "/queue?name=mail", "/type?queue=mail&name=A"]
    ended, looks, errors = threading.Event(), [0] * VIEWERS, []

    def watch(viewer: int) -> None:
        while not ended.is_set():
            number = looks[viewer]
            page = pages[number % len(pages)] if number % 3 else f"/queue?name=q{number % QUEUES}"
            request = urllib.request.Request(address + page, headers=bearer(VIEWER))
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    answer.read()
            except OSError as error:
                errors.append(error)
                return
            looks[viewer] = number + 1

    viewers = [threading.Thread(target=watch, args=(each,)) for each in range(VIEWERS)]
    for each in viewers:
        each.start()
    seen: list[tuple[int, int]] = []
    reads = 0
    began = time.monotonic()
    while (passed := time.monotonic() - began) < SECONDS and not errors:
        time.sleep(SECONDS / 30)
        reads += len(asked)
        asked.clear()
        gc.collect()
        if passed > SECONDS / 3:  # caches are full by then
            seen.append((sum(looks), tracemalloc.get_traced_memory()[0]))
    resident = _resident()
    ended.set()
    for each in viewers:
        each.join()
    assert not errors
    slope = statistics.linear_regression(*zip(*seen, strict=True)).slope
    an_hour = slope * LOOKS_AN_HOUR
    print(
        f"\n{sum(looks):,} pages and {reads:,} reads in {SECONDS:g} s; an hour of 20 viewers has "
        f"{LOOKS_AN_HOUR:,} and {READS_AN_HOUR:,}\n"
        f"traced: {seen[0][1]:,} bytes after a third, {seen[-1][1]:,} at the end; "
        f"{slope:+.1f} bytes a page, extrapolated to that hour {an_hour / 1e6:+.2f} MB\n"
        f"resident at the end, with the test and its tracing: {resident / 1e6:.0f} MB"
    )
    assert seen[-1][1] - seen[0][1] < MOST
    assert an_hour < MOST_AN_HOUR or SECONDS < 60  # of less time it says nothing
