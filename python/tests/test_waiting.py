"""Waiting with a time limit: who is cancelled meanwhile hears it in any case."""

import asyncio

import pytest

from symphony_pg.waiting import within


async def test_the_answer_of_the_work_is_returned() -> None:
    assert await within(10, asyncio.sleep(0, "done")) == "done"


async def test_the_error_of_the_work_is_raised() -> None:
    async def fail() -> None:
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        await within(10, fail())


async def test_work_that_takes_longer_is_cancelled() -> None:
    work = asyncio.get_running_loop().create_future()
    with pytest.raises(asyncio.TimeoutError):
        await within(0.01, work)
    assert work.cancelled()


@pytest.mark.parametrize("error", [None, OSError("away")])
async def test_a_cancellation_is_not_forgotten_though_the_work_has_just_ended(
    error: Exception | None,
) -> None:
    work = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(within(10, work))
    await asyncio.sleep(0)
    if error is None:
        work.set_result(None)
    else:
        work.set_exception(error)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_cancellation_ends_the_work() -> None:
    work = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(within(10, work))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert work.cancelled()
