"""A proxy in front of an engine that behaves like a faulty network or a faulty server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from types import TracebackType

_CHUNK = 64 * 1024
_TLS_HANDSHAKE_RECORD = b"\x16"


class FaultProxy:
    """Forwards connections to a port on loopback; attributes may change while it runs.

    ``up_delay`` and ``down_delay`` hold each chunk back for so many seconds, towards the engine or the client;
    ``greeting_delay`` the first two of each connection, as where handshakes are slow. ``drip`` sends the client one
    byte each so many seconds. ``plaintext_port`` takes the connections that do not begin with TLS. With
    ``server_context`` the proxy ends TLS itself, and speaks it to the engine with ``engine_context``. ``rewrite``
    changes what a client sends; ``alter`` changes the answer, given the last request, and closes with None.
    """

    def __init__(
        self,
        port: int,
        *,
        server_context: ssl.SSLContext | None = None,
        engine_context: ssl.SSLContext | None = None,
        plaintext_port: int | None = None,
        up_delay: float = 0.0,
        down_delay: float = 0.0,
        drip: float = 0.0,
        greeting_delay: float = 0.0,
        rewrite: Callable[[bytes], bytes] = lambda request: request,
        alter: Callable[[bytes, bytes], bytes | None] = lambda _request, answer: answer,
    ) -> None:
        self._engine_port = port
        self._plaintext_port = plaintext_port
        self._engine_context = engine_context
        self.up_delay, self.down_delay, self.drip = up_delay, down_delay, drip
        self._greeting_delay = greeting_delay
        self._rewrite, self._alter = rewrite, alter
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._thread.start()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        server = asyncio.start_server(self._serve, sock=self._listener, ssl=server_context)
        self._server = asyncio.run_coroutine_threadsafe(server, self._loop).result()

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        own = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not own]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        engine: asyncio.StreamWriter | None = None
        with contextlib.suppress(OSError, asyncio.CancelledError):
            first = await reader.read(_CHUNK)
            plain = self._plaintext_port is not None and first[:1] != _TLS_HANDSHAKE_RECORD
            context = self._engine_context
            engine_reader, engine = await asyncio.open_connection(
                "127.0.0.1",
                self._plaintext_port if plain else self._engine_port,
                ssl=context,
                server_hostname="localhost" if context else None,
            )
            asked = [b""]
            ends = [
                asyncio.create_task(self._upwards(first, reader, engine, asked)),
                asyncio.create_task(self._downwards(engine_reader, writer, asked)),
            ]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()
        for end in (engine, writer):
            if end is not None:
                end.transport.abort()

    async def _upwards(
        self, data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: list[bytes]
    ) -> None:
        sent = 0
        while data:
            await asyncio.sleep(self.up_delay + (self._greeting_delay if sent < 2 else 0))
            sent += 1
            asked[0] = data
            writer.write(self._rewrite(data))
            await writer.drain()
            data = await reader.read(_CHUNK)

    async def _downwards(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: list[bytes]) -> None:
        while (answer := await reader.read(_CHUNK)) and (data := self._alter(asked[0], answer)) is not None:
            await asyncio.sleep(self.down_delay)
            for part in [data[i : i + 1] for i in range(len(data))] if self.drip else [data]:
                await asyncio.sleep(self.drip)
                writer.write(part)
                await writer.drain()


@contextlib.contextmanager
def silent_server() -> Generator[int, None, None]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield int(listener.getsockname()[1])


@contextlib.contextmanager
def handshakes_only(context: ssl.SSLContext) -> Generator[int, None, None]:
    """A port that closes after the TLS handshake; a failed one gets an alert, which asyncio does not send."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            # Ends when the listener is closed.
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        context.wrap_socket(connection, server_side=True).close()

        threading.Thread(target=serve, name="handshakes", daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def black_hole() -> Generator[int, None, None]:
    """A port that does not answer connections, as if packets were dropped: its backlog is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = int(listener.getsockname()[1])
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(("127.0.0.1", port))
        yield port
