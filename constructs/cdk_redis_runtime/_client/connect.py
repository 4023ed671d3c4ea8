"""How a redis-py client is built for a store: TLS verified, signed in, with timeouts.

Trust comes from where OpenSSL finds it: the system's store, or the file named by ``SSL_CERT_FILE``.
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
from cdk_redis_runtime._client.settings import Address, Connection

CONNECT_SECONDS = 0.5
"""Half a second, because a primary that the network lost answers no SYN: a client that waits longer for it comes late
to the replica that took over. Within a VPC a connection opens in milliseconds."""

ANSWER_SECONDS = 0.5
"""Half a second, because a primary that hangs accepts connections and says nothing: only this timeout ends the wait,
and it is how late a client can come to the new primary, and a little more to ask who that is and to greet it. With
0.75 s clients came up to 0.95 s late, which leaves a promise of one second no room.
A command that may take longer (``BLPOP``, a long script) needs a client with longer timeouts."""

RETRIES = 3
"""A refused connection fails at once, a lost one after a timeout. Each retry asks the cluster anew who serves the slot;
they keep two of three errors of a failover from the application, and do not bring it back sooner."""


@dataclass(frozen=True)
class ClientTimeouts:
    """How long a client waits, and how often it tries again.

    The defaults are for an application in the store's network, and decide how soon it is back after a failover:
    they were measured, see docs/client-settings.md.

    Attributes:
        connect: Seconds to open a TCP connection.
        answer: Seconds to wait for each answer, the TLS handshake's included.
        retries: How often a failed connection or command is tried again; without cluster mode with back-off and jitter.
            A repeated command may run twice. With 0, none is sent twice, pipelines and transactions included.
    """

    connect: float = CONNECT_SECONDS
    answer: float = ANSWER_SECONDS
    retries: int = RETRIES


def connect(
    environment: Mapping[str, str] | None = None, *, timeouts: ClientTimeouts | None = None
) -> Redis | RedisCluster:
    """Connect to the store that this function was bound to by ``store.bind(function, user=...)``.

    TLS is verified, an IAM token is signed for each connection. A password is read from its secret at the first
    connection, and again when the store refuses it, as it does after a rotation; until Secrets Manager gives another,
    the old one is kept. Where there are no credentials to be had, commands end in an
    ``redis.exceptions.AuthenticationError`` that says why.

    Make one client for all calls, outside the handler.

    A command whose answer is lost with the connection is sent again, though the store may have run it: of some 8,000
    ``INCR`` over five lost connections three were counted twice. For commands that must not run twice (``INCR``,
    ``LPUSH``, ``XADD``, scripts) make a second client with ``timeouts=ClientTimeouts(retries=0)``: it sends each
    command once at most, and raises the error instead.

    Args:
        environment: Variables to read. Default: - ``os.environ``.
        timeouts: Timeouts and retries. Default: - `ClientTimeouts()`.

    Returns:
        A cluster client, which dials the endpoint at once; or without cluster mode a plain client, which dials at its
        first command.

    Raises:
        SettingsError: The environment does not describe a store.
    """
    connection = Connection.from_environment(os.environ if environment is None else environment)
    return client_for(connection, credential_provider(connection), timeouts)


def credential_provider(connection: Connection) -> CredentialProvider | None:
    """Choose how to sign in; nothing is signed or read before the first connection.

    Args:
        connection: The store's settings.

    Returns:
        None where the store has no authentication.
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
    """Build the client that an application uses.

    Args:
        connection: The store's settings.
        credentials: From `credential_provider`, shared by the clients of one store.
        timeouts: Timeouts and retries. Default: - `ClientTimeouts()`.
        make_pool: Class of its connection pools. Default: - one with its own TLS context.

    Returns:
        A cluster client, which dials the endpoint at once; or a plain client, which dials at its first command.
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
    """Build a client of one node, which dials at its first command.

    Args:
        address: The node, by the name that its certificate carries.
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
        # By a URL, because only then the client takes a pool class.
        "url": f"{'rediss' if connection.tls else 'redis'}://{connection.endpoint}",
        "connection_pool_class": make_pool,
        "retry": _retry(timeouts),
        # A missing shard is found and named by the smoke test; until then the others can be served.
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
        # CLIENT SETINFO and CLIENT MAINT_NOTIFICATIONS: round trips that a least-privilege user is refused, and
        # that fill the store's ACL log when they are.
        "driver_info": None,
        **_without_notifications(),
    }


def _without_notifications() -> dict[str, Any]:
    # redis-py 7 uses RESP2 by default, which has no such notifications, and rejects every setting for them.
    if int(redis.__version__.partition(".")[0]) < 8:
        return {}
    return {"maint_notifications_config": MaintNotificationsConfig(enabled=False)}
