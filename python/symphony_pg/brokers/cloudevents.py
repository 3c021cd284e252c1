"""CloudEvents 1.0: a message as an event in JSON, and events as others send them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from ..database.functions.messages import ClaimedMessage
from ..messages.codec import decode_json
from ..times import parse_datetime

CONTENT_TYPE = "application/cloudevents+json"
FAMILY = "application/cloudevents"
PREFIXES = ("ce-", "ce_", "cloudEvents:", "cloudEvents_")  # of headers, where data are the body
REQUIRED = ("specversion", "id", "source", "type")
DATA = ("data", "data_base64")
# What a message has under one name, and an event under another one.
EXTENSIONS = {
    "correlation_id": "correlationid",
    "traceparent": "traceparent",
    "tracestate": "tracestate",
}
HEADERS = {extension: header for header, extension in EXTENSIONS.items()}
OURS = "symphony"
JSON = re.compile(r"[^/]+/([^/]+\+)?json")
CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")  # no text of an event may have them


class NoEvent(ValueError):  # noqa: N818
    """This should be a CloudEvent, and is not; the text says why."""


class Event(NamedTuple):
    """A CloudEvent. `data` is JSON text; what its producer knows as no JSON is a JSON string.

    `ours` is what Symphony has written beside, and empty if somebody else has sent it.
    """

    source: str
    id: str
    type: str
    data: str
    headers: Mapping[str, Any]
    partition_key: str | None
    time: datetime | None
    ours: Mapping[str, str]


def text_of(message: ClaimedMessage, metadata: Mapping[str, str]) -> str:
    """Return a message as an event in JSON. Its id is that of the message, also when tried again.

    The extension `symphony` has all that is known of it, so that nothing gets lost on the way.
    """
    attributes = {
        "specversion": "1.0",
        "id": metadata["id"],
        "source": f"/symphony/{metadata['origin']}",
        "type": message.message_type,
        "time": metadata["enqueued-at"],
        "datacontenttype": "application/json",
    }
    headers = json.loads(metadata["headers"])
    more = {name: headers.get(header) for header, name in EXTENSIONS.items()}
    more["partitionkey"] = message.group_key
    attributes |= {name: text for name, text in more.items() if _is_text(text)}
    attributes[OURS] = json.dumps(metadata)
    return f'{json.dumps(attributes)[:-1]}, "data": {message.body}}}'


def event_in(
    body: bytes, content_type: str | None, headers: Mapping[str, Any], *, is_expected: bool
) -> Event | None:
    """Return the event that somebody has sent; None: it is none; raise NoEvent.

    All of it may be the body, if the content type says so or events are expected. Or its
    attributes are headers, and the body is its data.
    """
    media = _media(content_type)
    for prefix in PREFIXES:
        if f"{prefix}specversion" in headers and not media.startswith(FAMILY):
            named = {
                name[len(prefix) :]: value
                for name, value in headers.items()
                if name.startswith(prefix)
            }
            if content_type:
                named["datacontenttype"] = content_type
            return _event(named, _json_of(body, content_type))
    if media.startswith(FAMILY) or is_expected:
        if media not in (CONTENT_TYPE, FAMILY) and media.startswith(FAMILY):
            raise NoEvent(f"an event as {media} is not read, only {CONTENT_TYPE}")
        return _structured(body)
    return None


def _structured(body: bytes) -> Event:
    try:
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        attributes = {
            name: msgspec.json.decode(raw) for name, raw in members.items() if name not in DATA
        }
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoEvent(f"it is no JSON object: {error}") from None
    if len(members.keys() & {*DATA}) > 1:
        raise NoEvent("it has both data and data_base64")
    if "data_base64" not in members:
        return _event(attributes, bytes(members.get("data", b"null")).decode())
    try:
        text = msgspec.json.decode(members["data_base64"], type=str)
        data = base64.b64decode(text, validate=True)
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise NoEvent(f"data_base64 is not base64: {error}") from None
    return _event(attributes, _json_of(data, attributes.get("datacontenttype")))


def _event(attributes: dict[str, Any], data: str) -> Event:
    """Check attributes, and take out those that have a meaning here; others become headers."""
    given = {name: value for name, value in attributes.items() if value is not None}
    for name in REQUIRED:
        if not isinstance(given.get(name), str) or not given[name]:
            raise NoEvent(f"its attribute {name} {'is no text' if name in given else 'is missing'}")
    for name, value in given.items():
        if not isinstance(value, str | int | datetime):
            raise NoEvent(f"its attribute {name} is no text, integer or boolean")
    if given["specversion"] != "1.0":
        raise NoEvent(f"its specversion is {given['specversion']}, and 1.0 is read")
    ours = _told_by_us(given.pop(OURS, None))
    if not ours:
        decode_json(data)
    time, key = given.pop("time", None), given.pop("partitionkey", None)
    if _is_json(given.get("datacontenttype")):
        given.pop("datacontenttype", None)
    return Event(
        given["source"],
        given["id"],
        given["type"],
        data,
        {
            HEADERS.get(name, name): value
            for name, value in given.items()
            if name not in ("specversion", "type")
        },
        None if key is None else str(key),
        None if time is None else _moment(time),
        ours,
    )


def _told_by_us(text: Any) -> Mapping[str, str]:
    if text is None:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.MsgspecError, TypeError) as error:
        raise NoEvent(f"its attribute {OURS} cannot be read: {error}") from None


def _moment(time: Any) -> datetime:
    try:
        found = time if isinstance(time, datetime) else parse_datetime(time)
    except (TypeError, ValueError):
        found = None
    if found is None or found.tzinfo is None:
        raise NoEvent(f"its time is no time with a zone: {time}")
    return found


def _json_of(data: bytes, content_type: Any) -> str:
    """Return data as JSON text: what is no JSON is a string of base64."""
    if not data:
        return "null"
    if _is_json(content_type):
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise NoEvent(f"its data are no JSON: {error}") from None
    return json.dumps(base64.b64encode(data).decode())


def _is_json(content_type: Any) -> bool:
    return content_type is None or JSON.fullmatch(_media(content_type)) is not None


def _media(content_type: Any) -> str:
    return str(content_type or "").partition(";")[0].strip().lower()


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and not CONTROL.search(value)
