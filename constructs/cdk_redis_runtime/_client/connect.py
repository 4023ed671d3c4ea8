"""Builds redis-py clients for a store: verified TLS, sign-in, timeouts and retries.

Trusted authorities are OpenSSL's: those of the system, or of the file that ``SSL_CERT_FILE`` names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis
from redis import ConnectionPool, Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.cluster import RedisCluster
from redis.credentials import CredentialProvider
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.cluster import Cluster
from cdk_redis_runtime._client.pool import pool_class
from cdk_redis_runtime._client.reading import SettingsError
from cdk_redis_runtime._client.record import ConnectionRecord
from cdk_redis_runtime._client.settings import Address, Connection

CONNECT_SECONDS = 0.5
"""Seconds to open a TCP connection. A primary that is cut off from the network answers no SYN, so a client connects to
the new primary only after this time. Within a VPC a connection opens in milliseconds."""

ANSWER_SECONDS = 0.5
"""Seconds to wait for an answer. A primary that hangs accepts connections and answers nothing, so only this timeout
ends the wait. A client reaches the new primary after this time, plus the time to find it and to sign in. With 0.75 s
clients took up to 0.95 s, too close to the promised second.
A command that may take longer (``BLPOP``, a long script) needs a client with longer timeouts."""

RETRIES = 3
"""Retries of a connection or a command. Each retry asks the cluster again which node serves the slot. Retries hide two
of three errors of a failover from the application; they do not end the outage sooner."""


@dataclass(frozen=True)
class ClientTimeouts:
    """How long a client waits, and how often it retries.

    The defaults are for an application in the store's network. They decide how soon it works again after a failover,
    and were measured: see docs/client-settings.md.

    Attributes:
        connect: Seconds to open a TCP connection.
        answer: Seconds to wait for each answer, including that to the TLS handshake.
        retries: How often a failed connection or command is tried again; without cluster mode with backoff and jitter.
            A repeated command may run twice. With 0 no command is sent twice, in pipelines and transactions either.
    """

    connect: float = CONNECT_SECONDS
    answer: float = ANSWER_SECONDS
    retries: int = RETRIES


def connect(
    name: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    record: str | ConnectionRecord | None = None,
    timeouts: ClientTimeouts | None = None,
) -> Redis | RedisCluster:
    """Connect to the store that this function was bound to by ``store.bind(function, user=...)``.

    TLS certificates are verified. An IAM token is signed for each connection. A password is read from its secret at the
    first connection, and again when the store refuses it, as after a rotation; the old password is kept until Secrets
    Manager returns another. Without credentials, commands raise a ``redis.exceptions.AuthenticationError`` with the
    reason.

    Create one client outside the handler and use it for all calls.

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

    Returns:
        A cluster client, which connects at once; without cluster mode a plain client, which connects at its first
        command.

    Raises:
        SettingsError: The environment or the record does not describe a store.
    """
    connection = _settings(name, environment, record)
    return client_for(connection, credential_provider(connection), timeouts)


def _settings(
    name: str | None, environment: Mapping[str, str] | None, record: str | ConnectionRecord | None
) -> Connection:
    if record is None:
        return Connection.from_environment(os.environ if environment is None else environment, name)
    if name is not None or environment is not None:
        raise SettingsError(["give either a record, or a name and an environment"], "what connect() was given")
    return (ConnectionRecord.from_json(record) if isinstance(record, str) else record).connection


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


def client_for(
    connection: Connection,
    credentials: CredentialProvider | None,
    timeouts: ClientTimeouts | None = None,
    make_pool: type[ConnectionPool] | None = None,
) -> Redis | RedisCluster:
    """Build the client of an application.

    Args:
        connection: The store's settings.
        credentials: From `credential_provider`; the clients of one store share it.
        timeouts: Timeouts and retries. Default: - `ClientTimeouts()`.
        make_pool: Class of its connection pools. Default: - one with its own TLS context.

    Returns:
        A cluster client, which connects at once; or a plain client, which connects at its first command.
    """
    timeouts = timeouts or ClientTimeouts()
    make_pool = make_pool or pool_class(connection)
    if connection.cluster_mode:
        return Cluster(**cluster_options(connection, credentials, timeouts, make_pool))
    return node_client(connection.endpoint, credentials, timeouts, make_pool)


def node_client(
    address: Address,
    credentials: CredentialProvider | None,
    timeouts: ClientTimeouts,
    make_pool: type[ConnectionPool],
) -> Redis:
    """Build a client of one node, which connects at its first command.

    Args:
        address: The node, with the name in its certificate.
        credentials: From `credential_provider`.
        timeouts: Timeouts and retries.
        make_pool: Class of its connection pool.
    """
    options = _common(credentials, timeouts)
    return Redis.from_pool(make_pool(host=address.host, port=address.port, retry=_retry(timeouts), **options))


def cluster_options(
    connection: Connection,
    credentials: CredentialProvider | None,
    timeouts: ClientTimeouts,
    make_pool: type[ConnectionPool],
) -> dict[str, Any]:
    """The options of a cluster client.

    Args:
        connection: The store's settings.
        credentials: From `credential_provider`.
        timeouts: Timeouts and retries.
        make_pool: Class of the connection pool of each node.
    """
    return {
        # With a URL, because the client accepts a pool class only then.
        "url": f"{'rediss' if connection.tls else 'redis'}://{connection.endpoint}",
        "connection_pool_class": make_pool,
        "retry": _retry(timeouts),
        # The smoke test reports a missing shard; the other shards can be used until then.
        "require_full_coverage": False,
        **_common(credentials, timeouts),
    }


def _retry(timeouts: ClientTimeouts) -> Retry:
    return Retry(ExponentialWithJitterBackoff(base=0.05, cap=1.0), timeouts.retries)


def _common(credentials: CredentialProvider | None, timeouts: ClientTimeouts) -> dict[str, Any]:
    return {
        "credential_provider": credentials,
        "socket_connect_timeout": timeouts.connect,
        "socket_timeout": timeouts.answer,
        "decode_responses": True,
        # CLIENT SETINFO and CLIENT MAINT_NOTIFICATIONS: a least-privilege user is refused both, and each refusal is an
        # entry in the store's ACL log.
        "driver_info": None,
        **_without_notifications(),
    }


def _without_notifications() -> dict[str, Any]:
    # redis-py 7 uses RESP2 by default, which has no such notifications, and rejects every setting for them.
    if int(redis.__version__.partition(".")[0]) < 8:
        return {}
    return {"maint_notifications_config": MaintNotificationsConfig(enabled=False)}
