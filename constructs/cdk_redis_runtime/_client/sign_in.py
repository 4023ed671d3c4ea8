"""How a connection signs in: once more with new credentials if the old ones are refused, no secrets in its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError, RedisError

from cdk_redis_runtime._client.credentials import CredentialsUnavailableError, RememberingProvider
from cdk_redis_runtime._client.redaction import redact

if TYPE_CHECKING:
    from redis import Connection


def on_connect(connection: Connection) -> None:
    """Sign in with the connection's own ``on_connect``; for redis-py's ``redis_connect_func``.

    redis-py's cluster client calls that method itself, its plain client only if ``redis_connect_func`` does.
    """
    connection.on_connect()


def signing_in(connection_class: type[Connection]) -> type[Connection]:
    """Make a connection class that survives a change of its password.

    Args:
        connection_class: A connection class of redis-py.

    Returns:
        A subclass. Its pool needs ``redis_connect_func=on_connect``.
    """

    class SigningIn(connection_class):
        def on_connect(self) -> None:
            provider: CredentialProvider | None = self.credential_provider
            if provider is None:
                super().on_connect()
                return
            credentials = RememberingProvider(provider)
            self.credential_provider = credentials
            try:
                try:
                    super().on_connect()
                except AuthenticationError as refusal:
                    if not _renewed(credentials, refusal):
                        raise
                    super().on_connect()
            except RedisError as error:
                _hide(error, credentials.secrets)
                raise
            finally:
                self.credential_provider = provider

    return SigningIn


def _renewed(credentials: RememberingProvider, refusal: AuthenticationError) -> bool:
    """Whether there are other credentials to try than those that the store refused."""
    if isinstance(refusal, CredentialsUnavailableError):
        return False
    try:
        return credentials.renew(credentials.last)
    except CredentialsUnavailableError as unavailable:
        # The store's answer is the error to report; its cause says why there are no other credentials.
        raise refusal from unavailable


def _hide(error: BaseException | None, secrets: set[str]) -> None:
    # Some engines, and other servers that may listen there, repeat in their answer what they were sent. Applications
    # log errors with all their causes.
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.args = tuple(redact(part, secrets) if isinstance(part, str) else part for part in error.args)
        error = error.__cause__ or error.__context__
