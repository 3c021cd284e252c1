"""What becomes of an error: permanent, retried, retried after a wait, snoozed; who says so."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from symphony_pg import (
    BatchContext,
    Client,
    InMemoryTransport,
    InvalidMessage,
    PermanentError,
    RetryAfter,
    Snooze,
    Symphony,
    SyncTransport,
)
from symphony_pg.handling.classification import ErrorClasses, Verdict
from tests.helpers import Connection, Job, known
from tests.worker.helpers import run

HOUR = timedelta(hours=1)


class RefusedError(PermanentError):
    pass


class SlowError(OSError):
    pass


class ClosedError(SlowError):
    pass


class MyValueError(ValueError):
    pass


CLASSES = ErrorClasses(
    permanent=[KeyError, OSError],
    transient=[RefusedError],
    retry_after={SlowError: 60},
    snooze={ClosedError: HOUR},
)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (RuntimeError(), Verdict()),
        (SystemExit(), Verdict()),
        (LookupError(), Verdict()),
        (KeyError(), Verdict(False)),
        (FileNotFoundError(), Verdict(False)),
        (SlowError(), Verdict(True, timedelta(seconds=60))),
        (ClosedError(), Verdict(True, snooze=HOUR)),
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
    with pytest.raises(ValueError, match="KeyError is classified twice"):
        ErrorClasses(retry_after={KeyError: 1}, snooze={KeyError: 1})
    with pytest.raises(TypeError, match="'KeyError' is not a class of exceptions"):
        ErrorClasses(["KeyError"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="retry_after of KeyError is negative"):
        ErrorClasses(retry_after={KeyError: -1})
    with pytest.raises(ValueError, match="snooze of KeyError is negative"):
        ErrorClasses(snooze={KeyError: timedelta(seconds=-1)})


def fate(app: Symphony, conn: Connection, error: BaseException, **classes: Any) -> str:
    """Let a handler with these classes raise an error; return what became of its message."""

    @app.handler(Job, **classes)
    def work(job: Job) -> None:
        raise error

    message_id = app.dispatch(Job())
    run(app)
    found = known(conn, message_id)
    if found.available_at is None:
        return found.status
    wait = round((found.available_at - found.enqueued_at).total_seconds(), -1)
    return f"{found.status} {wait:.0f} attempt {found.attempt}"


# What a handler says, against what is said for its type and for *.
CASES: list[tuple[BaseException, dict[str, Any], str]] = [
    (ValueError(), {"permanent": [ValueError]}, "failed"),
    (ValueError(), {"transient": [ValueError]}, "delayed 0 attempt 1"),
    (
        MyValueError(),
        {"permanent": [ValueError], "transient": [MyValueError]},
        "delayed 0 attempt 1",
    ),
    (ValueError(), {"retry_after": {ValueError: 600}}, "delayed 600 attempt 1"),
    (ValueError(), {"snooze": {ValueError: HOUR}}, "delayed 3600 attempt 0"),
    (PermanentError(), {}, "failed"),
    (RetryAfter(600), {}, "delayed 600 attempt 1"),
    (Snooze(HOUR), {}, "delayed 3600 attempt 0"),
]


@pytest.mark.parametrize(("error", "classes", "becomes"), CASES)
@pytest.mark.parametrize("policy", ["none", "other"])
def test_the_handler_goes_before_the_policies(
    app: Symphony,
    conn: Connection,
    error: BaseException,
    classes: dict[str, Any],
    becomes: str,
    policy: str,
) -> None:
    if policy == "other":
        names = [each.__name__ for each in type(error).__mro__[:-1]]
        if becomes == "failed":
            Client(conn).set_retry_policy("Job", transient_errors=names)
        else:
            Client(conn).set_retry_policy("Job", permanent_errors=names)
            Client(conn).set_retry_policy("*", permanent_errors=names)
    assert fate(app, conn, error, **classes) == becomes


KINDS: list[tuple[Mapping[str, Any], str]] = [
    ({"permanent_errors": ["ValueError"]}, "failed"),
    ({"transient_errors": [f"{__name__}.MyValueError"]}, "delayed 0 attempt 1"),
    ({"retry_after_errors": {"MyValueError": "10 minutes"}}, "delayed 600 attempt 1"),
    ({"snooze_errors": {"MyValueError": 3600}}, "delayed 3600 attempt 0"),
]


@pytest.mark.parametrize(("lists", "becomes"), KINDS)
@pytest.mark.parametrize("pattern", ["Job", "*"])
def test_each_kind_in_the_policies(
    app: Symphony, conn: Connection, pattern: str, lists: dict[str, Any], becomes: str
) -> None:
    Client(conn).set_retry_policy(pattern, **{"permanent_errors": ["Exception"], **lists})
    assert fate(app, conn, MyValueError()) == becomes


def test_the_type_goes_before_the_default(app: Symphony, conn: Connection) -> None:
    Client(conn).set_retry_policy("*", snooze_errors={"MyValueError": "1 hour"})
    Client(conn).set_retry_policy("Job", retry_after_errors={"ValueError": "10 minutes"})
    assert fate(app, conn, MyValueError()) == "delayed 600 attempt 1"


def test_a_batch_handler_has_classes_too(app: Symphony, conn: Connection) -> None:
    @app.batch_handler(Job, permanent=[ValueError], snooze={MyValueError: HOUR})
    def work(jobs: list[Job], context: BatchContext) -> None:
        for job in jobs:
            context.fail(job, [ValueError(), MyValueError()][job.n])

    ids = app.dispatch_many([Job(0), Job(1)])
    counts = run(app)
    assert (counts.failed, counts.snoozed, counts.retried) == (1, 1, 0)
    found = [Client(conn).message_status(each) for each in ids]
    assert [each.status for each in found if each] == ["failed", "delayed"]


def test_a_snooze_of_a_class_says_why_and_has_an_end(app: Symphony, conn: Connection) -> None:
    client = Client(conn)
    client.create_queue("q", max_snooze=timedelta(0))
    app.handler(Job, snooze={ClosedError: 60})(raising(ClosedError("the bank is closed")))
    app.dispatch(Job())
    run(app)
    ((error,),) = conn.execute("select last_error from symphony.delayed_message").fetchall()
    assert error == f"{__name__}.ClosedError: the bank is closed"
    app.dispatch(Job(), queue="q")
    run(app, queues=["q"])
    (failed,) = client.failed_messages("q")
    assert failed.reason == "expired"
    assert failed.last_error == f"put off for longer than 00:00:00: {error}"


def raising(error: BaseException) -> Any:
    def work(job: Job) -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "outcome", "retryable", "wait"),
    [
        (ClosedError(), "snoozed", True, HOUR),
        (Snooze(HOUR), "snoozed", True, HOUR),
        (TimeoutError(), "retry", True, HOUR),
        (RetryAfter(timedelta(0)), "retry", True, timedelta(0)),
        (KeyError(), "failed", False, None),
        (ConnectionError(), "failed", True, None),
        (ValueError(), "failed", None, None),
    ],
)
def test_without_a_database_it_is_told_what_was_asked_for(
    error: Exception, outcome: str, retryable: bool | None, wait: timedelta | None
) -> None:
    memory = InMemoryTransport()
    app = Symphony(transport=memory)
    app.handler(
        Job,
        snooze={ClosedError: HOUR},
        retry_after={TimeoutError: HOUR},
        permanent=[KeyError],
        transient=[ConnectionError],
    )(raising(error))
    app.dispatch(Job())
    assert memory.run_all(raises=False) == 1
    (ran,) = memory.runs
    assert (ran.outcome, ran.envelope.message) == (outcome, Job())
    assert ran.failure is not None and ran.failure.exception is error
    assert ran.failure.retryable is retryable
    asked = ran.failure.snooze.delay if ran.failure.snooze else ran.failure.retry_after
    assert asked == wait
    assert len(memory.failed) == (outcome == "failed")
    assert memory.run_all() == 0  # once, whatever it asked for


@pytest.mark.parametrize(
    ("error", "waits"), [(ClosedError(), [60.0] * 3), (Snooze(HOUR), [3600.0] * 3)]
)
def test_in_dispatch_a_snooze_comes_to_an_end(error: BaseException, waits: list[float]) -> None:
    waited: list[float] = []
    transport = SyncTransport(sleep=waited.append)
    app = Symphony(transport=transport)
    app.handler(Job, snooze={ClosedError: 60})(raising(error))
    app.dispatch(Job())
    assert waited == [pytest.approx(each) for each in waits]
    assert len(transport.failed) == 1
