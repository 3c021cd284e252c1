"""dispatch(conn=…) with psycopg: its transaction is the message's."""

import psycopg
import pytest

from symphony_pg import Symphony
from tests.helpers import Connection, SendEmail
from tests.integrations.helpers import there

THRESHOLDS = pytest.mark.parametrize("threshold", [5, None, 0])


@THRESHOLDS
def test_commit_rollback_and_savepoint(
    app: Symphony, dsn: str, conn: Connection, threshold: int | None
) -> None:
    with psycopg.connect(dsn, prepare_threshold=threshold) as own:
        lost = app.dispatch(SendEmail(), conn=own)
        own.rollback()
        kept = [app.dispatch(SendEmail(), conn=own)]
        with own.transaction(force_rollback=True):
            undone = app.dispatch(SendEmail(), conn=own)
        kept += app.dispatch_many([SendEmail(), SendEmail()], conn=own)
        assert there(conn, *kept) == [False] * 3
        own.commit()
    assert there(conn, lost, undone, *kept) == [False, False, True, True, True]


@THRESHOLDS
async def test_commit_rollback_and_savepoint_async(
    app: Symphony, dsn: str, conn: Connection, threshold: int | None
) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, prepare_threshold=threshold) as own:
        lost = await app.dispatch_async(SendEmail(), conn=own)
        await own.rollback()
        kept = [await app.dispatch_async(SendEmail(), conn=own)]
        async with own.transaction(force_rollback=True):
            undone = await app.dispatch_async(SendEmail(), conn=own)
        kept += await app.dispatch_many_async([SendEmail(), SendEmail()], conn=own)
        assert there(conn, *kept) == [False] * 3
        await own.commit()
    assert there(conn, lost, undone, *kept) == [False, False, True, True, True]
