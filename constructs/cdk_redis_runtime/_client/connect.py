"""Connects to the store that this program was bound to, with and without asyncio.

Trusted authorities are OpenSSL's: those of the system, or of the file that ``SSL_CERT_FILE`` names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from redis import Redis
from redis import asyncio as redis_asyncio
from redis.cluster import RedisCluster
from redis.credentials import CredentialProvider

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.clients import ClientOptions, client_for
from cdk_redis_runtime._client.reading import SettingsError
from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._client.timeouts import ClientTimeouts

if TYPE_CHECKING:
    from cdk_redis_runtime._client.record import ConnectionRecord


def connect(
    name: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    record: str | ConnectionRecord | None = None,
    timeouts: ClientTimeouts | None = None,
    read_from_replicas: bool = False,
    client_name: str | None = None,
    protocol: int | None = None,
) -> Redis | RedisCluster:
    """Connect to the store that this function, container or instance was bound to by ``store.bind(..., user=...)``.

    TLS certificates are verified. An IAM token is signed for each connection, and each connection is replaced before
    AWS closes it, which it does 12 hours after the sign-in. A password is read from its secret at the first connection,
    and again when the store refuses it, as after a rotation; the old password is kept until Secrets Manager returns
    another. Without credentials, commands raise a ``redis.exceptions.AuthenticationError`` with the reason.

    Create one client outside the handler and use it for all calls. Threads and forked processes can share it.

    A command whose answer was lost with the connection is sent again, although the store may have run it: of some 8,000
    ``INCR`` over five lost connections three were counted twice. For commands that must not run twice (``INCR``,
    ``LPUSH``, ``XADD``, scripts) create a second client with ``timeouts=ClientTimeouts(retries=0)``: it sends each
    command at most once, and raises the error.

    Args:
        name: Name of the binding, as in ``store.bind(function, user=..., name="ledger")``. Default: - the binding
            without a name.
        environment: Variables to read. Default: - ``os.environ``.
        record: The value of the SSM parameter that ``store.share(...)`` created, in place of variables.
        timeouts: Timeouts and retries. Default: - `ClientTimeouts()`.
        read_from_replicas: Whether commands that only read (``GET``, ``HGETALL``, ``ZRANGE``) go to the primary and the
            replicas of their shard in turn, or, without cluster mode, to the reader endpoint if the store has one. A
            replica may not have the newest write yet. Pipelines of a store without cluster mode, transactions, and
            commands that continue (``SCAN``) go to primaries. In cluster mode the user needs the command ``READONLY``.
        client_name: Name of each connection in ``CLIENT LIST``, without spaces. It needs no permission: it is sent with
            ``HELLO``, which engines since Redis OSS 6.0 know. Default: - no name.
        protocol: Version of the protocol RESP, 2 or 3. Default: - that of redis-py.

    Returns:
        A cluster client, which connects at once; without cluster mode a plain client, which connects at its first
        command.

    Raises:
        SettingsError: The environment or the record does not describe a store, or an argument is wrong.
    """
    connection = _settings(name, environment, record)
    options = ClientOptions(timeouts or ClientTimeouts(), read_from_replicas, client_name, protocol)
    return client_for(connection, credential_provider(connection), options)


def connect_async(
    name: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    record: str | ConnectionRecord | None = None,
    timeouts: ClientTimeouts | None = None,
    read_from_replicas: bool = False,
    client_name: str | None = None,
    protocol: int | None = None,
) -> redis_asyncio.Redis | redis_asyncio.RedisCluster:
    """Connect with asyncio; everything else is as in `connect`.

    AWS credentials and secrets are read in a thread, so they do not block the event loop. Use a client in one event
    loop only, and close it with ``await client.aclose()``.

    Args:
        name: See `connect`.
        environment: See `connect`.
        record: See `connect`.
        timeouts: See `connect`.
        read_from_replicas: See `connect`.
        client_name: See `connect`.
        protocol: See `connect`.

    Returns:
        A cluster client, or without cluster mode a plain client; both connect at their first command, or with
        ``await client``.

    Raises:
        SettingsError: The environment or the record does not describe a store, or an argument is wrong.
    """
    # Half as much again as the rest of this package, which a program without asyncio does not need.
    from cdk_redis_runtime._client.clients_async import async_client_for

    connection = _settings(name, environment, record)
    options = ClientOptions(timeouts or ClientTimeouts(), read_from_replicas, client_name, protocol)
    return async_client_for(connection, credential_provider(connection), options)


def _settings(
    name: str | None, environment: Mapping[str, str] | None, record: str | ConnectionRecord | None
) -> Connection:
    if record is None:
        return Connection.from_environment(os.environ if environment is None else environment, name)
    if name is not None or environment is not None:
        raise SettingsError(["give either a record, or a name and an environment"], "what connect() was given")
    if not isinstance(record, str):
        return record.connection
    from cdk_redis_runtime._client.record import ConnectionRecord

    return ConnectionRecord.from_json(record).connection


def credential_provider(connection: Connection) -> CredentialProvider | None:
    """Choose how to sign in. Nothing is signed or read before the first connection.

    Args:
        connection: The store's settings.

    Returns:
        None without authentication.
    """
    user, region = connection.user or "", connection.region or ""
    if connection.authentication == env.AUTHENTICATION_IAM:
        from cdk_redis_runtime._client.iam_token import IamTokenProvider

        return IamTokenProvider(
            service=connection.service,
            store=connection.store,
            user=user,
            region=region,
            serverless=connection.serverless,
        )
    if connection.authentication == env.AUTHENTICATION_PASSWORD:
        from cdk_redis_runtime._client.secret import SecretProvider

        return SecretProvider(secret_arn=connection.secret_arn or "", user=user, region=region)
    return None
