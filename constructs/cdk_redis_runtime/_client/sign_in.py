"""How a connection signs in: with new credentials where a store refuses the old, and no secret in its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError, RedisError

from cdk_redis_runtime._client.credentials import CredentialsUnavailableError, RenewableProvider
from cdk_redis_runtime._client.redaction import redact

if TYPE_CHECKING:
    from redis import Connection


def on_connect(connection: Connection) -> None:
    """Sign in by a connection's own ``on_connect``; for redis-py's ``redis_connect_func``.

    redis-py's cluster client calls that method itself, its plain client calls it only where it is told to.
    """
    connection.on_connect()


def signing_in(connection_class: type[Connection]) -> type[Connection]:
    """Make a kind of connection that survives a change of its password.

    Args:
        connection_class: A kind of connection of redis-py's.

    Returns:
        A subclass. Its pool needs ``redis_connect_func=on_connect``.
    """

    class SigningIn(connection_class):
        def on_connect(self) -> None:
            provider: CredentialProvider | None = self.credential_provider
            if provider is None:
                super().on_connect()
                return
            handed_out = _HandedOut(provider)
            self.credential_provider = handed_out
            try:
                try:
                    super().on_connect()
                except AuthenticationError as refusal:
                    if not handed_out.renewed_after(refusal):
                        raise
                    super().on_connect()
            except RedisError as error:
                _hide(error, handed_out.secrets)
                raise
            finally:
                self.credential_provider = provider

    return SigningIn


class _HandedOut(CredentialProvider):
    """Hands on a provider's credentials, and knows which they were."""

    def __init__(self, provider: CredentialProvider) -> None:
        self._provider = provider
        self._last: tuple[str, ...] = ()
        self.secrets: set[str] = set()

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        credentials = self._provider.get_credentials()
        self._last = credentials
        self.secrets.add(credentials[-1])
        return credentials

    def renewed_after(self, refusal: AuthenticationError) -> bool:
        """Whether there are other credentials to try than those that were refused."""
        if isinstance(refusal, CredentialsUnavailableError) or not isinstance(self._provider, RenewableProvider):
            return False
        try:
            return self._provider.renew(self._last)
        except CredentialsUnavailableError as unavailable:
            # The store's answer is the news; why nothing could be done about it is told along with it.
            raise refusal from unavailable


def _hide(error: BaseException | None, secrets: set[str]) -> None:
    # Some engines, and whatever else may listen there, repeat in their answer what they were sent. An application logs
    # errors with all their causes.
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.args = tuple(redact(part, secrets) if isinstance(part, str) else part for part in error.args)
        error = error.__cause__ or error.__context__
