"""The connections of ``redis.asyncio``'s clients: the same TLS context, sign-in and limits as without asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from collections.abc import Awaitable
from typing import Any, TypeVar

from redis.asyncio.connection import Connection as RedisConnection
from redis.asyncio.connection import SSLConnection
from redis.exceptions import AuthenticationError

from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._client.sign_in import SigningIn, can_renew, reporting
from cdk_redis_runtime._client.trust import shared_context

_Result = TypeVar("_Result")
_SLICE = 0.05


def connection_class(connection: Connection, first_answer: float) -> Any:
    """Make the connection class of a store's clients; see `cdk_redis_runtime._client.pool.pool_class`.

    Args:
        connection: The store's settings.
        first_answer: `ClientTimeouts.first_answer`.
    """
    if not connection.tls:
        return _signing_in(RedisConnection, first_answer)
    context = shared_context()

    class TlsConnection(SSLConnection):
        # redis-py builds an SSL context for every connection, and has one limit for TCP and TLS together.
        async def _connect(self) -> None:
            limit = self.socket_connect_timeout
            self._dialled = await asyncio.wait_for(_dial(self.host, self.port), limit)
            self.socket_connect_timeout = None
            try:
                await _within(super()._connect(), first_answer)
            finally:
                self.socket_connect_timeout = limit

        def _connection_arguments(self) -> dict[str, Any]:
            return {"sock": self._dialled, "ssl": context, "server_hostname": self.host}

    return _signing_in(TlsConnection, first_answer)


def _signing_in(base: Any, first_answer: float) -> Any:
    class SigningInConnection(SigningIn, base):
        def should_reconnect(self) -> bool:
            # The cluster client would send its next command on a connection that the store has closed.
            reader = self._reader
            return super().should_reconnect() or (reader is not None and (reader.at_eof() or bool(reader.exception())))

        async def on_connect_check_health(self, *arguments: Any, **options: Any) -> None:
            limit = self.socket_timeout
            try:
                with self.signing_in() as credentials:
                    if credentials is not None:
                        await credentials.fetch()
                    self.socket_timeout = None
                    try:
                        await _within(super().on_connect_check_health(*arguments, **options), first_answer)
                    except AuthenticationError as refusal:
                        if credentials is None or not can_renew(refusal):
                            raise
                        with reporting(refusal):
                            if not await asyncio.to_thread(credentials.renew, credentials.last):
                                raise
                        # The refusal closed the connection; the next one signs in with the new credentials.
                        await self.disconnect()
                        await self.connect_check_health(retry_socket_connect=False)
                        return
                if command := self.naming():
                    await self.send_command(*command, check_health=False)
                    await _within(self.read_response(), first_answer)
            finally:
                self.socket_timeout = limit

    return SigningInConnection


async def _dial(host: str, port: int) -> socket.socket:
    """Open a TCP connection to the first of a host's addresses that accepts it."""
    loop = asyncio.get_running_loop()
    error: OSError | None = None
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        dialled = socket.socket(family, kind, protocol)
        try:
            dialled.setblocking(False)
            await loop.sock_connect(dialled, address)
            return dialled
        except OSError as refusal:
            error = refusal
            dialled.close()
        except BaseException:
            dialled.close()
            raise
    raise error or OSError(f"{host} has no address")


async def _within(work: Awaitable[_Result], seconds: float) -> _Result:
    """Wait, but at most for the given seconds in which this process was awake.

    A limit by the clock includes the time that this process computes, or waits for a processor: a Lambda function with
    128 MB has 7 % of one.

    Raises:
        asyncio.TimeoutError: The time is over; the work is cancelled.
    """
    task = asyncio.ensure_future(work)
    try:
        for _ in range(math.ceil(seconds / _SLICE)):
            if (await asyncio.wait({task}, timeout=_SLICE))[0]:
                return task.result()
        raise asyncio.TimeoutError
    finally:
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
