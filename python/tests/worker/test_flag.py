"""A flag with a time limit, waits that get longer, and slots that wake for what there is."""

import asyncio
import time

import pytest

from symphony_pg import Client, Symphony
from symphony_pg.database.lending import Connections
from symphony_pg.waiting import FIRST_WAIT, LONGEST_WAIT, Backoff, Flag
from symphony_pg.worker.backlog import Backlog, Run
from symphony_pg.worker.claim import Claim
from tests.helpers import Connection, Job


def test_a_flag_wakes_all_who_wait_until_it_is_cleared() -> None:
    async def wait() -> list[bool]:
        flag = Flag()
        waiting = [asyncio.create_task(flag.wait(9)) for _ in range(3)]
        await asyncio.sleep(0)
        flag.set()
        flag.clear()  # before they have run
        return await asyncio.gather(*waiting, flag.wait(0.01))

    assert asyncio.run(wait()) == [True, True, True, False]


def test_a_flag_that_is_set_lets_nobody_wait() -> None:
    async def wait() -> bool:
        flag = Flag()
        flag.set()
        return flag.is_set() and await flag.wait()

    assert asyncio.run(wait())


def test_a_cancelled_wait_is_cancelled_even_if_the_flag_was_set_in_that_moment() -> None:
    async def wait() -> None:
        flag = Flag()
        waiting = asyncio.create_task(flag.wait(9))
        await asyncio.sleep(0)
        flag.set()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not flag._waiters

    asyncio.run(wait())


def test_a_wait_ends_in_time_and_leaves_nothing_behind() -> None:
    async def wait() -> float:
        flag, began = Flag(), time.monotonic()
        assert not await flag.wait(0.1)
        assert not flag._waiters
        return time.monotonic() - began

    assert 0.09 < asyncio.run(wait()) < 1


def test_each_wait_is_longer_until_an_attempt_succeeds() -> None:
    waits: list[float | None] = []

    class Told(Flag):
        async def wait(self, seconds: float | None = None) -> bool:
            waits.append(seconds)
            return False

    async def fail() -> None:
        backoff = Backoff(Told())
        for _ in range(12):
            await backoff.wait()
        backoff.reset()
        await backoff.wait()

    asyncio.run(fail())
    longest = [min(LONGEST_WAIT, FIRST_WAIT * 2**n) for n in range(12)]
    for wait, most in zip(waits, [*longest, FIRST_WAIT], strict=True):
        assert wait is not None and most / 2 <= wait <= most


def test_as_many_slots_wake_as_there_are_messages(app: Symphony, conn: Connection) -> None:
    app.dispatch_many([Job(1), Job(2)])
    messages = Client(conn).claim_batch(batch_size=2)
    claim = Claim(messages, 60, Connections(None))

    async def work() -> tuple[int, list[Run | None]]:
        backlog = Backlog(app.handlers, Flag())
        slots = [asyncio.create_task(backlog.next()) for _ in range(5)]
        await asyncio.sleep(0)
        assert backlog.free_slots == 5
        slots[0].cancel()  # its place in the queue is no other one's
        await asyncio.sleep(0)
        backlog.add(claim, messages)
        free = backlog.free_slots
        done, _ = await asyncio.wait(slots[1:], timeout=0.1)
        assert len(done) == 2
        backlog.close()
        return free, await asyncio.gather(*slots[1:])

    free, runs = asyncio.run(work())
    assert free == 2
    assert sum(run is not None for run in runs) == 4  # the run stays for all who come
