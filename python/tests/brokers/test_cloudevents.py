"""CloudEvents at every broker: what goes out is one, and those of others are understood."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pytest
from cloudevents.core.bindings.rabbitmq import to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from symphony_pg import BadArgument, Symphony
from symphony_pg.brokers.cloudevents import CONTENT_TYPE
from symphony_pg.handling.context import Context
from tests.brokers.bench import Bench
from tests.helpers import Connection, one
from tests.worker.helpers import until

MOMENT = datetime(2026, 4, 5, 17, 31, tzinfo=timezone.utc)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01"
# As PostgreSQL keeps it: Python's floats know neither number.
BODY = '{"n": 12345678901234567890.5, "s": "ä\\"\\uffff"}'


@pytest.fixture
def events(bench: Bench) -> Bench:
    """A transport whose messages are CloudEvents."""
    bench.create(format="cloudevents")
    return bench


def event(data: Any = None, **attributes: Any) -> CloudEvent:
    """Return an event of another program."""
    given = {"id": "A-1", "source": "https://shop.example/tills", "type": "Pay", **attributes}
    return CloudEvent(given, data)


def written(**attributes: Any) -> bytes:
    """Return it as its program would write it."""
    return JSONFormat().write(event({"n": 1}, **attributes))


def seen_by(app: Symphony, fails_first: bool = False) -> list[tuple[Any, Context]]:
    """Return what a handler gets."""
    seen: list[tuple[Any, Context]] = []

    @app.handler("Pay")
    def pay(body: Any, context: Context) -> None:
        seen.append((body, context))
        if fails_first and context.attempt == 1:
            raise OSError("not now")

    return seen


async def test_what_goes_out_is_an_event(events: Bench) -> None:
    sent = events.client.enqueue(
        "Pay",
        {"n": 1},
        group_key="k",
        headers={"traceparent": TRACE, "correlation_id": "c", "other": {"a": [1]}},
    )
    async with events.relaying() as relay:
        await until(lambda: relay.counts.done == 1, "the message")
    content_type, text = await events.server.receive_foreign(events.destination)
    assert content_type == CONTENT_TYPE
    found = JSONFormat().read(None, text)  # which refuses what is none
    assert isinstance(found, CloudEvent)
    attributes = found.get_attributes()
    assert attributes.pop("time") is not None
    assert json.loads(attributes.pop("symphony"))["attempt"] == "1"
    assert attributes == {
        "specversion": "1.0",
        "id": str(sent),
        "source": f"/symphony/{events.client.origin()}",
        "type": "Pay",
        "datacontenttype": "application/json",
        "partitionkey": "k",
        "traceparent": TRACE,
        "correlationid": "c",
    }
    assert found.get_data() == {"n": 1}


async def test_a_message_comes_as_it_was_sent_and_is_retried(
    events: Bench, conn: Connection
) -> None:
    seen = seen_by(events.app, fails_first=True)
    headers = {"traceparent": TRACE, "a": {"b": [1]}, "c\x01": "ä"}
    sent = one(
        conn,
        "select symphony.enqueue('Pay', %s::jsonb, headers => %s::jsonb, group_key => E'k\\x01')",
        BODY,
        json.dumps(headers),
    )
    async with events.working() as worker:
        await until(lambda: worker.counts.done == 1, "the second attempt")
    assert [context.attempt for _, context in seen] == [1, 2]
    for body, context in seen:
        assert body == json.loads(BODY)
        assert (context.message_id, context.headers) == (sent, headers)
        assert (context.group_key, context.priority) == ("k\x01", 5)
    assert events.status(sent) == "forwarded"


async def test_what_has_failed_goes_out_again_when_it_is_replayed(events: Bench) -> None:
    seen = seen_by(events.app, fails_first=True)
    events.client.set_retry_policy("*", 1)
    sent = events.client.enqueue("Pay", {"n": 1})
    async with events.working() as worker:
        await until(lambda: worker.counts.failed == 1, "the first attempt")
        assert [each.body for each in events.client.failed_messages()] == [{"n": 1}]
        events.client.retry_failed([sent])
        await until(lambda: worker.counts.failed == 2, "the replay")
    assert [context.message_id for _, context in seen] == [sent, sent]


async def test_what_is_sent_directly_is_an_event(bench: Bench) -> None:
    from tests.brokers.test_direct import Pay

    app = bench.direct_app(form="cloudevents")
    sent = await app.dispatch_async(Pay(1), headers={"a": {"b": [1]}})
    _, text = await bench.server.receive_foreign(bench.destination)
    found = JSONFormat().read(None, text)
    assert (found.get_id(), found.get_data()) == (str(sent), {"n": 1, "text": ""})
    await app.aclose()
    with pytest.raises(BadArgument, match="format must be"):
        bench.client.create_transport("orders", bench.server.kind, config={"format": "xml"})


async def test_both_formats_are_read_whatever_the_transport_has(bench: Bench) -> None:
    """So the format can be changed while messages are on their way."""
    seen = seen_by(bench.app)
    for form, number in (("symphony", 1), ("cloudevents", 2)):
        bench.create(format=form)
        bench.client.enqueue("Pay", number)
        async with bench.relaying() as relay:
            await until(lambda relay=relay: relay.counts.done == 1, "the message")  # type: ignore[misc]
    for form in ("cloudevents", "symphony"):
        bench.create(format=form)
        async with bench.consuming(limit=1) as worker:
            await until(lambda worker=worker: worker.counts.done == 1, "one of them")  # type: ignore[misc]
    assert sorted(body for body, _ in seen) == [1, 2]


STRUCTURED = "application/cloudevents+json; charset=UTF-8"
EXTENSIONS = {
    "time": MOMENT,
    "subject": "7",
    "partitionkey": "till 3",
    "correlationid": "c-9",
    "traceparent": TRACE,
    "retries": "3",
}


async def test_an_event_of_somebody_else_is_handled_and_retried(bench: Bench) -> None:
    seen = seen_by(bench.app, fails_first=True)
    async with bench.broker():
        await bench.send_event(written(**EXTENSIONS), STRUCTURED)
    async with bench.working() as worker:
        await until(lambda: worker.counts.done == 1, "the second attempt")
    for place, (body, context) in enumerate(seen, 1):
        assert (body, context.attempt, context.group_key) == ({"n": 1}, place, "till 3")
        assert context.enqueued_at == MOMENT
        assert context.headers == {
            "id": "A-1",
            "source": "https://shop.example/tills",
            "subject": "7",
            "correlation_id": "c-9",
            "traceparent": TRACE,
            "retries": "3",
        }


async def test_an_event_whose_attributes_are_headers_is_handled(bench: Bench) -> None:
    seen = seen_by(bench.app)
    told = {name: value for name, value in EXTENSIONS.items() if name != "subject"}  # of SQS's ten
    sent = to_binary(event({"n": 1}, **told, datacontenttype="application/json"), JSONFormat())
    async with bench.broker():
        await bench.send_event(sent.body, sent.content_type, **sent.headers)
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.done == 1, "the event")
    ((body, context),) = seen
    assert (body, context.message_type, context.group_key) == ({"n": 1}, "Pay", "till 3")
    assert (context.enqueued_at, context.headers["correlation_id"]) == (MOMENT, "c-9")


async def test_where_events_are_expected_they_need_no_content_type(events: Bench) -> None:
    seen = seen_by(events.app)
    async with events.broker():
        await events.send_event(written(odd=None, flag=True, number=-7))
    async with events.consuming() as worker:
        await until(lambda: worker.counts.done == 1, "the event")
    assert {k: seen[0][1].headers.get(k) for k in ("odd", "flag", "number")} == {
        "odd": None,
        "flag": True,
        "number": -7,
    }


DATA: list[tuple[Mapping[str, Any], Any, str | None]] = [
    ({}, None, None),
    ({"data": "text"}, "text", None),
    ({"data": None}, None, None),
    ({"data": "<a/>", "datacontenttype": "application/xml"}, "<a/>", "application/xml"),
    ({"data_base64": "eyJuIjogMX0="}, {"n": 1}, None),
    ({"data_base64": "eyJuIjogMX0=", "datacontenttype": "a/b+json; c=d"}, {"n": 1}, None),
    ({"data_base64": "/w==", "datacontenttype": "image/png"}, "/w==", "image/png"),
]


@pytest.mark.parametrize("server", ["redis"], indirect=True)
@pytest.mark.parametrize(("given", "body", "told"), DATA)
async def test_data_of_any_kind_become_a_body(
    events: Bench, given: Mapping[str, Any], body: Any, told: str | None
) -> None:
    seen = seen_by(events.app)
    async with events.broker():
        named = {"specversion": "1.0", "id": "1", "source": "/a", "type": "Pay"}
        await events.send_event(json.dumps({**named, **given}).encode())
    async with events.consuming() as worker:
        await until(lambda: worker.counts.done == 1, "the event")
    assert [(each, context.headers.get("datacontenttype")) for each, context in seen] == [
        (body, told)
    ]


@pytest.mark.parametrize("server", ["redis"], indirect=True)
async def test_data_beside_headers_that_are_no_json_are_base64(bench: Bench) -> None:
    seen = seen_by(bench.app)
    sent = to_binary(event(b"\xff", datacontenttype="image/png"), JSONFormat())
    async with bench.broker():
        await bench.send_event(sent.body, sent.content_type, **sent.headers)
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.done == 1, "the event")
    assert (seen[0][0], seen[0][1].headers["datacontenttype"]) == (
        base64.b64encode(b"\xff").decode(),
        "image/png",
    )


def changed(**attributes: Any) -> bytes:
    return json.dumps({**json.loads(written()), **attributes}).encode()


NONE: dict[str, tuple[bytes, str]] = {
    "no object": (b"[]", "it is no JSON object"),
    "no JSON": (b"\xff{", "it is no JSON object"),
    "no id": (changed(id=None), "its attribute id is missing"),
    "an empty source": (changed(source=""), "its attribute source is no text"),
    "a number as type": (changed(type=7), "its attribute type is no text"),
    "an older version": (changed(specversion="0.3"), "its specversion is 0.3, and 1.0 is read"),
    "a time without a zone": (changed(time="2026-04-05T17:31:00"), "no time with a zone"),
    "a number as time": (changed(time=7), "no time with a zone"),
    "an object as attribute": (changed(odd={}), "its attribute odd is no text"),
    "both kinds of data": (changed(data_base64=""), "both data and data_base64"),
    "no base64": (changed(data=0).replace(b'"data": 0', b'"data_base64": "-"'), "is not base64"),
    "garbage of ours": (changed(symphony="7"), "its attribute symphony cannot be read"),
    "half of ours": (changed(symphony='{"id": "1"}'), "KeyError"),
}


@pytest.mark.parametrize("kind", NONE)
@pytest.mark.parametrize("server", ["redis"], indirect=True)
async def test_what_is_no_event_has_failed_with_the_reason(events: Bench, kind: str) -> None:
    text, reason = NONE[kind]
    async with events.broker():
        await events.send_event(text)
    await _fails_for(events, reason, text)


async def test_what_calls_itself_an_event_and_is_none_has_failed(bench: Bench) -> None:
    """At every broker, whatever the format of the transport is."""
    text = changed(id="")
    async with bench.broker():
        await bench.send_event(text, CONTENT_TYPE)
    await _fails_for(bench, "its attribute id is no text", text)


@pytest.mark.parametrize("notation", ["cloudevents+avro", "cloudevents-batch+json"])
@pytest.mark.parametrize("server", ["redis"], indirect=True)
async def test_other_notations_of_events_are_refused(bench: Bench, notation: str) -> None:
    async with bench.broker():
        await bench.send_event(b"[]", f"application/{notation}")
    await _fails_for(bench, f"an event as application/{notation} is not read", b"[]")


async def _fails_for(bench: Bench, reason: str, text: bytes) -> None:
    seen = seen_by(bench.app)
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.failed == 1, "the message")
    (failed,) = bench.client.failed_messages()
    assert not seen
    assert reason in str(failed.last_error)
    assert failed.reason == "permanent"
    assert failed.body == {"raw": text.decode(errors="backslashreplace")}


async def test_two_events_of_the_same_source_and_id_take_effect_once(
    bench: Bench, conn: Connection
) -> None:
    conn.execute("create table effect (id text)")

    @bench.app.handler("Pay")
    def pay(body: Any, context: Context) -> None:
        with context.transaction() as tx:
            tx.execute("insert into effect values (%s)", [context.headers["id"]])

    async with bench.broker():
        for source in ("/a", "/b", "/a", "/" + "long" * 500, "/" + "long" * 500):
            await bench.send_event(written(source=source), CONTENT_TYPE)
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.done == 5, "all")
    assert one(conn, "select count(*) from effect") == 3


@pytest.mark.parametrize("server", ["rabbitmq", "redis", "sqs-fifo"], indirect=True)
async def test_events_of_a_key_go_out_in_their_order(bench: Bench) -> None:
    bench.create(format="cloudevents", ordered=True, batch_size=10)
    seen = seen_by(bench.app)
    bench.client.enqueue_batch(
        [{"message_type": "Pay", "body": n, "group_key": f"k{n % 3}"} for n in range(60)]
    )
    async with bench.relaying(), bench.consuming() as worker:
        await until(lambda: worker.counts.done == 60, "all")
    for key in range(3):
        of_key = [body for body, context in seen if context.group_key == f"k{key}"]
        assert of_key == [*range(key, 60, 3)]
