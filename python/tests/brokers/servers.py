"""Real brokers for the tests: on free loopback ports, each in a folder, ended by their pid."""

from __future__ import annotations

import io
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sqs import models
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from fetch import brokers
from tests.helpers import wait_until
from tests.proxy import Proxy

PATIENCE = 60.0
# RabbitMQ 3.10 writes down half a second later that there is a quorum queue: if it is killed before
# that, the queue is there and takes nothing for ever.
YOUNG = 1.0
REFUSES = "this host has neither it nor apt to fetch it"


def free_port() -> int:
    """Return a port of the loopback address that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


# A child dies with the thread that started it, so that has to be one that stays.
_starter = ThreadPoolExecutor(1)
_numbers = itertools.count(1)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Server(ABC):
    """A broker that can be started, stopped and killed; its data stay meanwhile."""

    kind: str
    library: str
    nowhere: str  # a DSN of that kind where nobody listens
    settings: ClassVar[Mapping[str, Any]] = {}
    credentials: ClassVar[Mapping[str, str]] = {}  # of the environment
    ending = ""  # of the names of destinations
    keeps_order = True
    keeps_order_of_key = True
    pace = 50  # messages a second that it handles at the least, beside others

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()

    @property
    @abstractmethod
    def dsn(self) -> str:
        """Where it is."""

    @abstractmethod
    def start(self) -> None:
        """Start it, and wait until it serves."""

    @abstractmethod
    def kill(self) -> None:
        """Let it crash."""

    @abstractmethod
    def stop(self) -> None:
        """Let it end as its operators end it."""

    @abstractmethod
    def ensure_up(self) -> None:
        """Start it again if a test has ended it."""

    @abstractmethod
    async def send_foreign(
        self,
        destination: str,
        body: bytes,
        type_: str | None,
        headers: Mapping[str, str],
        content_type: str | None = None,
    ) -> None:
        """Send what another program might."""

    @abstractmethod
    async def send_forged(self, destination: str, body: bytes, told: Mapping[str, str]) -> None:
        """Send what looks as if Symphony had sent it."""

    @abstractmethod
    async def receive_foreign(self, destination: str) -> tuple[str | None, bytes]:
        """Return the content type and the text of what is there, as another program gets it."""

    def disturb(self, rng: random.Random) -> None:
        """Do the worst that may happen to it, and let it come back."""
        self.kill()
        time.sleep(rng.uniform(0, 1))
        self.start()

    def close(self) -> None:
        """End all that was started."""
        self.kill()


class Program(Server):
    """A broker in a process of its own, with its data in the folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _is_up(self) -> bool: ...

    def _environment(self) -> Mapping[str, str]:
        return os.environ

    def start(self) -> None:
        self._process = _starter.submit(self._popen, self._command()).result()
        wait_until(self._is_up, self, PATIENCE)

    def _popen(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                env=self._environment(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,
            )

    def __str__(self) -> str:
        return f"a broker that wrote:\n{(self.folder / 'log').read_text()[-4000:]}"

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE)
            self._process = None

    def ensure_up(self) -> None:
        if self._process is None:
            self.start()


@cache
def obtained(kind: str) -> Path | None:
    """Return the program of a broker; what could not be fetched once is not tried again."""
    return {"redis": brokers.redis, "rabbitmq": brokers.rabbitmq}[kind]()


class Redis(Program):
    """Redis that has written to the disk what it has confirmed."""

    kind = "redis"
    library = "redis.asyncio"
    nowhere = "redis://:secret@127.0.0.1:1/0"
    settings: ClassVar = {"max_idle": 2}  # seconds, until what was cut off on its way comes back

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        program = obtained(self.kind)
        if program is None:
            pytest.skip(f"Redis: {REFUSES}")
        self._program = program

    @property
    def dsn(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _command(self) -> list[str]:
        return [
            *(str(self._program), *self._listening(), "--bind", "127.0.0.1"),
            *("--dir", str(self.folder), "--save", "", "--daemonize", "no"),
            *("--appendonly", "yes", "--appendfsync", "always"),
        ]

    def _listening(self) -> list[str]:
        return ["--port", str(self.port)]

    def _environment(self) -> Mapping[str, str]:
        return {**os.environ, "LD_LIBRARY_PATH": brokers.libraries(self._program)}

    async def send_foreign(
        self,
        destination: str,
        body: bytes,
        type_: str | None,
        headers: Mapping[str, str],
        content_type: str | None = None,
    ) -> None:
        from redis.asyncio import Redis as Connection

        async with Connection.from_url(self.dsn) as conn:
            told = {"type": type_, "content-type": content_type}
            fields: dict[Any, Any] = {"body": body, **headers}
            fields |= {name: text for name, text in told.items() if text is not None}
            await conn.xadd(destination, fields)

    async def send_forged(self, destination: str, body: bytes, told: Mapping[str, str]) -> None:
        await self.send_foreign(destination, body, None, told)

    async def receive_foreign(self, destination: str) -> tuple[str | None, bytes]:
        from redis.asyncio import Redis as Connection

        async with Connection.from_url(self.dsn) as conn:
            entries: Any = await conn.xrange(destination)
        ((_, fields),) = entries
        return fields[b"content-type"].decode(), fields[b"data"]

    def _is_up(self) -> bool:
        import redis

        with redis.Redis.from_url(self.dsn, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False


class RabbitMQ(Program):
    """RabbitMQ with an epmd of its own.

    Its scripts stumble over a path with a space, so all paths lead through a link in the folder.
    """

    kind = "rabbitmq"
    library = "aio_pika"
    nowhere = "amqp://guest:secret@127.0.0.1:1/"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        program = obtained(self.kind)
        if program is None:
            pytest.skip(f"RabbitMQ: {REFUSES}")
        self._epmd_port, self._dist_port = free_port(), free_port()
        self._epmd: subprocess.Popen[bytes] | None = None
        root = brokers.root(program)
        (folder / "files").symlink_to(root)
        self._program = folder / "files" / program.relative_to(root)
        (folder / "bin").mkdir()
        erlang = next((folder / "files").glob("usr/lib*/erlang"))
        self._erts = next(erlang.glob("erts-*")) / "bin"
        (folder / "bin" / "erl").write_text(
            f"#!/bin/sh\nexport EMU=beam PROGNAME=erl ROOTDIR={erlang} BINDIR={self._erts}\n"
            'exec "$BINDIR/erlexec" "$@"\n'
        )
        (folder / "bin" / "erl").chmod(0o755)
        (folder / "rabbitmq.conf").write_text(
            f"{self._listening()}\n"
            "log.console = true\nlog.console.level = warning\nlog.file = false\n"
            "disk_free_limit.absolute = 50MB\nvm_memory_high_watermark.relative = 0.6\n"
        )
        (folder / "plugins").write_text("[].\n")
        (folder / "advanced.config").write_text("[].\n")

    @property
    def dsn(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def _listening(self) -> str:
        return f"listeners.tcp.1 = 127.0.0.1:{self.port}"

    def _command(self) -> list[str]:
        return [str(self._program)]

    def _environment(self) -> Mapping[str, str]:
        folder = self.folder
        return {
            "PATH": f"{folder / 'bin'}:{self._erts}:{os.environ['PATH']}",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "LD_LIBRARY_PATH": brokers.libraries(self._program.resolve()),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": f"symphony{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "logs"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_ALLOW_INPUT": "1",  # so that the process is Erlang itself, and no script
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput +S 2:2 +sbwt none -kernel "
            "inet_dist_use_interface {127,0,0,1}",
        }

    def start(self) -> None:
        if self._epmd is None:
            epmd = [str(self._erts / "epmd"), "-address", "127.0.0.1"]
            self._epmd = _starter.submit(
                self._popen, [*epmd, "-port", str(self._epmd_port)]
            ).result()
            wait_until(lambda: _listens(self._epmd_port), "epmd")
        super().start()

    async def send_foreign(
        self,
        destination: str,
        body: bytes,
        type_: str | None,
        headers: Mapping[str, str],
        content_type: str | None = None,
    ) -> None:
        await self._send(
            destination, body, "theirs", type=type_, headers={**headers}, content_type=content_type
        )

    async def send_forged(self, destination: str, body: bytes, told: Mapping[str, str]) -> None:
        headers = {f"symphony-{name}": text for name, text in told.items()}
        await self._send(destination, body, told["id"], type=told["type"], headers=headers)

    async def _send(self, destination: str, body: bytes, id_: str, **properties: Any) -> None:
        import aio_pika

        async with await aio_pika.connect(self.dsn) as conn:
            channel = await conn.channel()
            message = aio_pika.Message(body, message_id=id_, **properties)
            await channel.default_exchange.publish(message, destination)

    async def receive_foreign(self, destination: str) -> tuple[str | None, bytes]:
        import aio_pika

        async with await aio_pika.connect(self.dsn) as conn:
            queue = await (await conn.channel()).get_queue(destination)
            message = await queue.get()
            return message.content_type, message.body

    def kill(self) -> None:
        time.sleep(YOUNG)
        super().kill()

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, str(self)
        return _listens(self.port)

    def close(self) -> None:
        super().close()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
        shutil.rmtree(self.folder / "mnesia", ignore_errors=True)


# moto loses messages if one thread sends while another one deletes, so requests take turns.
moto_turn = threading.Condition()


def _moto(environ: dict[str, Any], *more: Any) -> Any:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)  # it may never come, so this is nobody's turn
    with moto_turn:
        _counted.clear()
        return _moto_app({**environ, "wsgi.input": io.BytesIO(body)}, *more)


_moto_app = DomainDispatcherApplication(create_backend_app)


def _let_others(self: models.Queue, timeout: int) -> None:
    moto_turn.wait(0.02)


# moto counts a whole queue anew whenever it looks at a setting of it, several times for a message,
# and makes a date for each look at the clock: of a second at work, that was nearly all.
_counted: dict[models.Queue, dict[str, Any]] = {}
_count = vars(models.Queue)["attributes"].fget


def _counted_once(self: models.Queue) -> dict[str, Any]:
    if self not in _counted:
        _counted[self] = _count(self)
    return _counted[self]


# Who polls stops when the poll has ended: to hang up might take a message along. SQS counts whole
# seconds, and so nearly every test would end by waiting for one.
SECOND = 0.2
_receive = models.SQSBackend.receive_message


def _receive_soon(
    self: models.SQSBackend, queue_name: str, count: int, wait: int, *more: Any
) -> list[models.Message]:
    return _receive(self, queue_name, count, wait * SECOND, *more)  # type: ignore[arg-type]


models.SQSBackend.receive_message = _receive_soon  # type: ignore[assignment, method-assign]
models.Queue.attributes = property(_counted_once)  # type: ignore[assignment]
models.Queue.wait_for_messages = _let_others  # type: ignore[method-assign]
vars(models)["unix_time_millis"] = lambda: time.time() * 1000


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


class SQS(Server):
    """SQS as moto plays it, in this process, behind a proxy.

    moto writes nothing down, so it cannot crash and come back: what fails is the network.
    """

    kind = "sqs"
    library = "boto3"
    nowhere = "sqs://eu-west-1?endpoint=http://key:secret@127.0.0.1:1"
    settings: ClassVar = {"visibility": 2}
    credentials: ClassVar = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    keeps_order = False
    keeps_order_of_key = False
    pace = 10  # it is moto, one thread of Python

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._listener: BaseWSGIServer | None = None

    @property
    def dsn(self) -> str:
        return f"sqs://eu-west-1?endpoint=http://127.0.0.1:{self.port}"

    def _tls(self) -> tuple[str, str] | None:
        return None

    def start(self) -> None:
        if self._listener is None:
            self._listener = make_server(
                "127.0.0.1",
                self.port,
                _moto,
                threaded=True,
                request_handler=_Quiet,
                ssl_context=self._tls(),
            )
            threading.Thread(target=self._listener.serve_forever, daemon=True).start()
            self._proxy = Proxy("127.0.0.1", self.port)
            self.port = self._proxy.port
        self._proxy.is_off = False

    def ensure_up(self) -> None:
        self.start()

    def kill(self) -> None:
        self._proxy.is_off = True
        self._proxy.cut()

    def stop(self) -> None:
        self.kill()

    def disturb(self, rng: random.Random) -> None:
        """Cut all connections, let them fall silent for good, or let nobody through for a while."""
        fault = rng.choice(["cut", "silence", "stall", "off"])
        if fault == "cut":
            self._proxy.cut()
        elif fault == "off":
            super().disturb(rng)
        else:
            self._proxy.refuses_news = fault == "stall"
            self._proxy.silence()
            time.sleep(rng.uniform(0, 1))
            self._proxy.clear()

    def close(self) -> None:
        if self._listener is not None:
            self._proxy.close()
            self._listener.shutdown()

    async def send_foreign(
        self,
        destination: str,
        body: bytes,
        type_: str | None,
        headers: Mapping[str, str],
        content_type: str | None = None,
    ) -> None:
        told = {"type": type_, "content-type": content_type}
        texts = {name: text for name, text in told.items() if text is not None} | {**headers}
        with closing(self._client()) as client:
            client.send_message(
                QueueUrl=client.get_queue_url(QueueName=destination)["QueueUrl"],
                MessageBody=body.decode(errors="backslashreplace"),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": text}
                    for name, text in texts.items()
                },
                **self._of_fifo(),
            )

    async def send_forged(self, destination: str, body: bytes, told: Mapping[str, str]) -> None:
        await self.send_foreign(destination, body, None, {"symphony": json.dumps(told)})

    async def receive_foreign(self, destination: str) -> tuple[str | None, bytes]:
        with closing(self._client()) as client:
            url = client.get_queue_url(QueueName=destination)["QueueUrl"]
            found = client.receive_message(QueueUrl=url, MessageAttributeNames=["All"])
        (message,) = found["Messages"]
        told = message["MessageAttributes"]["content-type"]["StringValue"]
        return told, message["Body"].encode()

    def _client(self) -> Any:
        import boto3  # type: ignore[import-untyped]

        return boto3.client(
            "sqs", region_name="eu-west-1", endpoint_url=f"http://127.0.0.1:{self.port}"
        )

    def _of_fifo(self) -> dict[str, str]:
        return {}


class SQSFifo(SQS):
    """Its queues are FIFO, by message group."""

    ending = ".fifo"
    keeps_order_of_key = True

    def _of_fifo(self) -> dict[str, str]:
        return {"MessageGroupId": "theirs", "MessageDeduplicationId": str(next(_numbers))}


SERVERS: dict[str, type[Server]] = {
    "rabbitmq": RabbitMQ,
    "redis": Redis,
    "sqs": SQS,
    "sqs-fifo": SQSFifo,
}
