"""SQS, standard and FIFO: batches of ten, long polls, and a visibility that is extended."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from ..config.broker import FIFO, BrokerSettings
from ..database.functions.messages import ClaimedMessage
from ..waiting import within
from .broker import Broker, BrokerAway, Delivery, NeverSent
from .extras import needs
from .files import check_files
from .threads import Threads
from .wire import Received, delivery_of, packed

PATIENCE = 10.0
POLL = 1  # seconds; whoever stops, or hears nothing, waits for its end
LOADING = 60.0  # for a library that reads its files, on a busy machine
VISIBILITY = 30.0
THREADS = 8
MOST = 10  # entries of a batch
ATTRIBUTE = "symphony"
CONTENT_TYPE = "content-type"
NEVER = ("InvalidMessageContents", "MessageTooLong")
GONE = ("ReceiptHandleIsInvalid", "MessageNotInflight")
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
GROUP = re.compile(r"[!-~]{1,128}")
Outcome = Exception | None
Entry = dict[str, Any]


class SQS(Broker):
    """A queue of SQS. It is FIFO if its name ends with .fifo.

    The DSN is sqs://REGION, with ?endpoint=URL for a server that is not Amazon's. Credentials
    are found as AWS's own programs find them.
    """

    most_bytes = 2**20

    def __init__(self, settings: BrokerSettings) -> None:
        super().__init__(settings)
        self._boto3 = needs("boto3", "sqs")
        self._config = needs("botocore.config", "sqs").Config
        self._errors = needs("botocore.exceptions", "sqs")
        self.lease = float(settings.settings.get("visibility", VISIBILITY))
        self._is_fifo = settings.destination.endswith(FIFO)
        self._session: Any = None
        self._client: Any = None
        self._threads: Threads | None = None
        self._url = ""

    async def open(self) -> None:
        """Find the queue, or make it, and ask what it takes."""
        check_files(filter(None, [os.environ.get("AWS_CA_BUNDLE")]))
        self._threads = Threads(THREADS, "sqs")
        try:
            self._client = await self._call(self._new_client, LOADING)  # is closed by whoever
            found = partial(self._found, self._client)  # gives up while it waits for an answer
            self._url, self.most_bytes = await self._call(found)
        except BaseException:
            await self.close()
            raise

    def _new_client(self) -> Any:
        """Make a client. It asks nobody, but the first one reads what AWS has of services."""
        dsn = urlsplit(self.settings.location)
        self._session = self._session or self._boto3.session.Session()
        return self._session.client(
            "sqs",
            region_name=dsn.hostname,
            endpoint_url=parse_qs(dsn.query).get("endpoint", [None])[0],
            config=self._config(
                connect_timeout=PATIENCE,
                read_timeout=PATIENCE + POLL,
                retries={"total_max_attempts": 1},
                max_pool_connections=THREADS,
            ),
        )

    def _found(self, client: Any) -> tuple[str, int]:
        name = self.settings.destination
        try:
            found = client.get_queue_url(QueueName=name)
        except client.exceptions.QueueDoesNotExist:
            if not self.settings.settings.get("declare", True):
                raise
            attributes = {"FifoQueue": "true"} if self._is_fifo else {}
            found = client.create_queue(QueueName=name, Attributes=attributes)
        url = found["QueueUrl"]
        asked = client.get_queue_attributes(QueueUrl=url, AttributeNames=["MaximumMessageSize"])
        return url, int(asked["Attributes"]["MaximumMessageSize"])

    async def close(self) -> None:
        """Hang up. What was handed out comes back when its visibility ends."""
        client, self._client = self._client, None
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.close()
        if client is not None:
            client.close()

    async def _ask(self, verb: str, wait: float = 0, **arguments: Any) -> Any:
        if self._client is None:
            raise BrokerAway("the connection to SQS is closed")
        asked = partial(getattr(self._client, verb), QueueUrl=self._url, **arguments)
        return await self._call(asked, wait)

    async def _call(self, work: Callable[[], Any], wait: float = 0) -> Any:
        """Do something in a thread. It has PATIENCE, and `wait` for a long poll."""
        errors = (self._errors.BotoCoreError, self._errors.ClientError, OSError, ValueError)
        if self._threads is None:
            raise BrokerAway("the connection to SQS is closed")
        done = asyncio.wrap_future(self._threads.submit(work))
        try:
            return await within(PATIENCE + wait, done)
        except asyncio.TimeoutError as error:
            raise BrokerAway("SQS does not answer") from error
        except errors as error:
            raise BrokerAway(f"SQS: {error}") from error

    async def publish(self, messages: Sequence[ClaimedMessage]) -> list[Outcome]:
        """Publish in batches and await what became of each message.

        A FIFO queue gets one batch after the other, and none after one that it did not take whole.
        """
        outcomes: dict[int, Outcome] = {}
        entries = []
        for place, message in enumerate(messages):
            entry, size = self._entry(place, message)
            if size > self.most_bytes:
                outcomes[place] = NeverSent(f"it has {size} bytes, SQS takes {self.most_bytes}")
            else:
                entries.append((entry, size))
        batches = [*self._batches(entries)]
        if not self._is_fifo:
            for found in await asyncio.gather(*map(self._send, batches)):
                outcomes.update(found)
        else:
            for batch in batches:
                outcomes.update(found := await self._send(batch))
                if any(isinstance(each, BrokerAway) for each in found.values()):
                    break
        skipped = BrokerAway("SQS has not taken a message before it")
        return [outcomes.get(place, skipped) for place in range(len(messages))]

    def _entry(self, place: int, message: ClaimedMessage) -> tuple[Entry, int]:
        body, beside, content_type = packed(message, self.settings, self.origin)
        if not beside:  # others read it, and a character may be written in two ways in JSON
            body = NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", body)
        elif NOT_XML.search(body):
            body = base64.b64encode(body.encode()).decode()
            beside = {**beside, "encoding": "base64"}
        name, text = (ATTRIBUTE, json.dumps(beside)) if beside else (CONTENT_TYPE, content_type)
        entry: Entry = {
            "Id": str(place),
            "MessageBody": body,
            "MessageAttributes": {name: {"DataType": "String", "StringValue": text}},
        }
        if self._is_fifo:
            group = message.group_key or str(message.message_id)
            if not GROUP.fullmatch(group):
                group = hashlib.blake2b(group.encode(), digest_size=32).hexdigest()
            entry["MessageGroupId"] = group
            # A snooze and a replay come with the same attempt, so the claim is part of it.
            entry["MessageDeduplicationId"] = (
                f"{message.message_id}-{message.claim_id}-{message.attempt}"
            )
        return entry, len(body.encode()) + len(text) + len(name) + len("String")

    def _batches(self, entries: Sequence[tuple[Entry, int]]) -> Iterator[list[Entry]]:
        """Split by number and bytes; in a FIFO queue also by key, so that no gap can be left."""
        batch: list[Entry] = []
        room, groups = self.most_bytes, set[str]()
        for entry, size in entries:
            group = entry.get("MessageGroupId")
            if batch and (len(batch) == MOST or size > room or group in groups):
                yield batch
                batch, room, groups = [], self.most_bytes, set()
            batch.append(entry)
            room -= size
            if group is not None:
                groups.add(group)
        if batch:
            yield batch

    async def _send(self, batch: Sequence[Entry]) -> dict[int, Outcome]:
        try:
            answer = await self._ask("send_message_batch", Entries=batch)
        except BrokerAway as error:
            return {int(each["Id"]): error for each in batch}
        found: dict[int, Outcome] = {int(each["Id"]): None for each in answer.get("Successful", ())}
        for each in answer.get("Failed", ()):
            text = f"SQS: {each['Code']}: {each.get('Message', '')}"
            is_final = each["Code"].rpartition(".")[2] in NEVER
            found[int(each["Id"])] = NeverSent(text) if is_final else BrokerAway(text)
        silent = BrokerAway("SQS does not confirm")
        return {int(each["Id"]): found.get(int(each["Id"]), silent) for each in batch}

    async def consume(self, width: int) -> None:
        """Nothing comes by itself."""

    async def receive(self, most: int, wait: float) -> list[Delivery]:
        """Return what is there, or poll for a first message, which takes whole seconds."""
        until = asyncio.get_running_loop().time() + wait
        poll = POLL if wait else 0
        while True:
            answer = await self._ask(
                "receive_message",
                poll,
                MaxNumberOfMessages=min(most, MOST),
                WaitTimeSeconds=poll,
                VisibilityTimeout=int(self.lease),
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            found = [self._delivery(each) for each in answer.get("Messages", ())]
            if found or asyncio.get_running_loop().time() >= until:
                return found

    def _delivery(self, found: Mapping[str, Any]) -> Delivery:
        headers = {
            name: each["StringValue"]
            for name, each in found.get("MessageAttributes", {}).items()
            if "StringValue" in each
        }
        metadata, body = _metadata(headers), found["Body"].encode()
        if metadata.get("encoding") == "base64":
            with suppress(ValueError):  # then it is no JSON, and is shown as it came
                body = base64.b64decode(body)
        received = Received(
            body,
            metadata,
            headers,
            found["MessageId"],
            headers.get("type"),
            int(found["Attributes"]["ApproximateReceiveCount"]) - 1,
            found["ReceiptHandle"],
            headers.get(CONTENT_TYPE),
        )
        return delivery_of(received, self.settings, self.lease, self.origin)

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete them."""
        await self._batched("delete_message_batch", deliveries)

    async def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Make them visible at once."""
        await self._batched("change_message_visibility_batch", deliveries, VisibilityTimeout=0)

    async def extend(self, deliveries: Sequence[Delivery]) -> None:
        """Begin their visibility anew."""
        seconds = int(self.lease)
        await self._batched(
            "change_message_visibility_batch", deliveries, VisibilityTimeout=seconds
        )

    async def _batched(self, verb: str, deliveries: Sequence[Delivery], **more: Any) -> None:
        for start in range(0, len(deliveries), MOST):
            entries = [
                {"Id": str(place), "ReceiptHandle": each.token, **more}
                for place, each in enumerate(deliveries[start : start + MOST])
            ]
            answer = await self._ask(verb, Entries=entries)
            for each in answer.get("Failed", ()):
                if not _is_gone(each):
                    raise BrokerAway(f"SQS: {each['Code']}: {each.get('Message', '')}")

    async def count(self) -> int:
        """Return about how many messages wait there or are in hand."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = await self._ask("get_queue_attributes", AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)


def _is_gone(failed: Mapping[str, Any]) -> bool:
    """Tell whether a delivery is ours no more. SQS has no code of its own for an expired one."""
    code = failed["Code"].rpartition(".")[2]
    expired = "for parameter ReceiptHandle is invalid"
    is_expired = code == "InvalidParameterValue" and expired in failed.get("Message", "")
    return is_expired or code in GONE


def _metadata(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what a relay has put beside the body; nothing if somebody else has sent it."""
    try:
        found = msgspec.json.decode(headers.get(ATTRIBUTE, "{}"), type=dict[str, str])
    except msgspec.DecodeError:
        return {}
    return found if {"id", "attempt"} <= found.keys() else {}
