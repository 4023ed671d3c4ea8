"""How a connection signs in, the same for redis-py's connections and those of ``redis.asyncio``.

It signs in once more with new credentials if the old ones are refused, shows no secrets in errors, and is replaced
before AWS closes it.
"""

from __future__ import annotations

import contextlib
import math
import random
import ssl
import time
from collections.abc import Generator
from typing import Any

from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

from cdk_redis_runtime._client.credentials import CredentialsUnavailableError, RememberingProvider

# redis-py's message where the other side closes the connection; its name for it is private.
_CLOSED = "Connection closed by server"

_RENEWED_AFTER = (0.7, 0.9)
"""When a connection is replaced, as parts of the time after which AWS closes it. Not all connections of a deployment,
which were opened together, are replaced together."""


class HelloCutOffError(RedisConnectionError):
    """The other side closed the connection at HELLO, which signs in."""


class SigningIn:
    """Mixin for a connection class of redis-py."""

    credential_provider: CredentialProvider | None
    client_name: str | None
    protocol: Any
    _replaced_at = math.inf
    _should_reconnect: bool

    def __init__(self, **options: Any) -> None:
        """Create the connection of redis-py, without what a least-privilege user is refused."""
        super().__init__(**options)
        # CLIENT SETINFO: each refusal is an entry in the store's ACL log. Not every version of redis-py has an option
        # for it in every client.
        self.driver_info = None

    def should_reconnect(self) -> bool:
        """Whether a pool should close the connection, and open another when it needs one.

        redis-py's pools and cluster clients ask this for each connection that they get back.
        """
        # Not the monotonic clock, which may stand still while Lambda has frozen a function. Not super(): it is called
        # for each command.
        return self._should_reconnect or time.time() >= self._replaced_at

    @contextlib.contextmanager
    def signing_in(self) -> Generator[RememberingProvider | None]:
        """Prepare for the sign-in, and improve its errors.

        Returns:
            The credentials to sign in with; None without.
        """
        provider, name = self.credential_provider, self.client_name
        credentials = None if provider is None else RememberingProvider(provider)
        self.credential_provider, self.client_name = credentials, None
        try:
            with _reporting_hello():
                yield credentials
        except RedisError as error:
            _hide(error, credentials.secrets if credentials else set())
            raise
        finally:
            self.credential_provider, self.client_name = provider, name
        if lifetime := getattr(provider, "connection_seconds", None):
            self._replaced_at = time.time() + lifetime * random.uniform(*_RENEWED_AFTER)  # noqa: S311 - no secret

    def naming(self) -> tuple[Any, ...] | None:
        """The command that gives the connection its name; None without a name.

        HELLO is open to every user, while CLIENT SETNAME needs a permission that a least-privilege user does not have.
        """
        return ("HELLO", self.protocol or 2, "SETNAME", self.client_name) if self.client_name else None


def can_renew(refusal: AuthenticationError) -> bool:
    """Whether the store refused the credentials, in contrast to there being none."""
    return not isinstance(refusal, CredentialsUnavailableError)


@contextlib.contextmanager
def reporting(refusal: AuthenticationError) -> Generator[None]:
    """Report the store's answer if there are no other credentials; its cause says why."""
    try:
        yield
    except CredentialsUnavailableError as unavailable:
        raise refusal from unavailable


@contextlib.contextmanager
def _reporting_hello() -> Generator[None]:
    try:
        yield
    except RedisConnectionError as error:
        if _is_closed_by_server(error):
            raise HelloCutOffError(str(error)) from error
        raise


def _is_closed_by_server(error: RedisConnectionError) -> bool:
    if type(error) is not RedisConnectionError:
        return False
    # A TLS alert is more specific than the end of the connection.
    reset = isinstance(error.__context__, OSError) and not isinstance(error.__context__, ssl.SSLError)
    return reset or _CLOSED in str(error)


def _hide(error: BaseException | None, secrets: set[str]) -> None:
    # Imported here, because only errors need it, and every start of a function would wait for its imports.
    from cdk_redis_runtime._client.redaction import redact

    # Some engines, and other servers that may listen there, repeat in their answer what they were sent. Applications
    # log errors with all their causes.
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.args = tuple(redact(part, secrets) if isinstance(part, str) else part for part in error.args)
        error = error.__cause__ or error.__context__
