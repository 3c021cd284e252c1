"""Which errors of a handler are retried."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from workers import run  # type: ignore[import-not-found]

from symphony_pg import Client, InvalidMessage, PermanentError, RetryAfter, Symphony
from symphony_pg.classification import ErrorClasses, Verdict

Connection = psycopg.Connection[Any]


class RefusedError(PermanentError):
    pass


class SlowError(OSError):
    pass


CLASSES = ErrorClasses(
    permanent=[KeyError, OSError], transient=[RefusedError], retry_after={SlowError: 60}
)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (RuntimeError(), Verdict(True)),
        (SystemExit(), Verdict(True)),
        (LookupError(), Verdict(True)),
        (KeyError(), Verdict(False)),
        (FileNotFoundError(), Verdict(False)),
        (SlowError(), Verdict(True, timedelta(seconds=60))),
        (PermanentError(), Verdict(False)),
        (RefusedError(), Verdict(True)),
        (InvalidMessage(), Verdict(False)),
        (RetryAfter(5), Verdict(True, timedelta(seconds=5))),
    ],
)
def test_the_most_specific_class_counts(error: BaseException, verdict: Verdict) -> None:
    assert CLASSES.of(error) == verdict


def test_classes_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="KeyError is classified twice"):
        ErrorClasses([KeyError], [KeyError])
    with pytest.raises(TypeError, match="'KeyError' is no class of exceptions"):
        ErrorClasses(["KeyError"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="negative"):
        ErrorClasses(retry_after={KeyError: -1})


def test_the_worker_goes_by_them(dsn: str, conn: Connection) -> None:
    @dataclass
    class Job:
        n: int

    with Symphony(dsn) as app:

        @app.handler(
            Job, permanent=[KeyError], transient=[RefusedError], retry_after={SlowError: 3600}
        )
        def work(job: Job) -> None:
            raise [KeyError("a"), RefusedError("b"), SlowError("c"), ValueError("d")][job.n]

        ids = app.dispatch_many([Job(n) for n in range(4)])
        counts = run(app)
    assert (counts.failed, counts.retried) == (1, 3)
    found = [Client(conn).message_status(each) for each in ids]
    assert [each.status for each in found if each] == ["failed", "delayed", "delayed", "delayed"]
    waits = [each.available_at - each.enqueued_at for each in found if each and each.available_at]
    assert [wait > timedelta(minutes=50) for wait in waits] == [False, True, False]
