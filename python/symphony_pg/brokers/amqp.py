"""A connection of aio-pika of which nothing is left once it is hung up."""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter
from typing import Any

from .extras import needs


def connection_to(dsn: str) -> Any:
    """Return an aio_pika.Connection, not yet open, that also has a hang_up().

    aiormq 6, all that Python 3.10 has, leaves the socket open of whoever fails before the
    broker has said a word, or hangs up on one that is silent.
    """
    pika = needs("aio_pika", "rabbitmq")
    aiormq = needs("aiormq.connection", "rabbitmq")

    class Connection(pika.Connection):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__(dsn)
            self.kwargs["transport_factory"] = self
            self._writer: StreamWriter | None = None

        async def create(self, url: Any, **options: Any) -> tuple[StreamReader, StreamWriter]:
            has_tls = url.scheme == "amqps"
            factory = aiormq.TLSTransportFactory if has_tls else aiormq.TCPTransportFactory
            reader, self._writer = await factory().create(url, **options)
            return reader, self._writer

        def hang_up(self) -> None:
            """Close the socket, if close() has not."""
            if self._writer is not None:
                self._writer.transport.abort()

        def __del__(self) -> None:
            """Let a garbage collector, in whichever thread, not close() what is hung up."""

    return Connection()
