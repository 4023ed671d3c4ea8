"""What IAM and password authentication share: errors, renewal, and one read for many threads and after forks."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError

T = TypeVar("T")

SHARED_FAILURE_SECONDS = 1.0
"""Seconds for which a failure is returned to all threads without another read. Otherwise every retry of every thread
would wait for seconds for a service that is down."""

NO_AWS_CREDENTIALS_HINT = (
    "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, sign in with aws sso login, or give the program's "
    "function, task or instance a role"
)
"""What to do if botocore's credential chain finds none."""


BOTOCORE_HINT = 'pip install "cdk-redis-runtime[iam]"; Lambda has it'
"""What to do without botocore."""


class CredentialsUnavailableError(AuthenticationError):
    """There are no credentials, so no sign-in was tried. The message has the reason and no secret.

    A subclass of redis-py's AuthenticationError, so that redis-py disconnects and retries, and applications handle it
    like every other failed sign-in.
    """


class BlockingProvider(CredentialProvider):
    """Credentials whose ``get_credentials`` may call AWS; ``redis.asyncio`` calls it in a thread."""

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """Return what ``get_credentials`` returns, without blocking the event loop."""
        return await asyncio.to_thread(self.get_credentials)


class RenewableProvider(BlockingProvider):
    """Credentials that may change while clients use them: they are read again when a store refuses them."""

    def renew(self, refused: tuple[str, ...]) -> bool:
        """Read the credentials again after a store refused them.

        Args:
            refused: As `get_credentials` returned them.

        Returns:
            Whether `get_credentials` returns others now.

        Raises:
            CredentialsUnavailableError: They could not be read.
        """
        raise NotImplementedError


class RememberingProvider(RenewableProvider):
    """Passes on another provider's credentials for one sign-in, and remembers them.

    Attributes:
        last: The credentials that were returned last.
        secrets: Every password and token that was returned.
    """

    def __init__(self, provider: CredentialProvider) -> None:
        """Keep the provider.

        Args:
            provider: Where the credentials come from.
        """
        self._provider = provider
        self._fetched: tuple[str] | tuple[str, str] | None = None
        self._renewed = False
        self.last: tuple[str, ...] = ()
        self.secrets: set[str] = set()

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Return the provider's credentials."""
        return self._remember(self._provider.get_credentials())

    async def fetch(self) -> None:
        """Read the provider's credentials, so that no time limit of the sign-in includes it."""
        self._fetched = await self._provider.get_credentials_async()

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """Return the credentials of the last `fetch`, or else the provider's."""
        return self._remember(self._fetched or await self._provider.get_credentials_async())

    def _remember(self, credentials: tuple[str] | tuple[str, str]) -> tuple[str] | tuple[str, str]:
        self.last = credentials
        self.secrets.add(credentials[-1])
        return credentials

    def renew(self, refused: tuple[str, ...]) -> bool:
        """Renew them once, if the provider can; see `RenewableProvider`."""
        if self._renewed or not isinstance(self._provider, RenewableProvider):
            return False
        self._renewed, self._fetched = True, None
        return self._provider.renew(refused)


class _Read(Generic[T]):
    """One read and its result. A read without a value and without a failure was interrupted."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.value: T | None = None
        self.failure: CredentialsUnavailableError | None = None


class SharedRead(Generic[T]):
    """Reads for one thread at a time. Threads that ask meanwhile get the same result, a failure included."""

    def __init__(self, read: Callable[[], T], forget: Callable[[], None] = lambda: None) -> None:
        """Keep the functions for later.

        Args:
            read: Reads, and never returns None.
            forget: Called in a forked process: what was locked in the parent stays locked in the child.
        """
        self._read = read
        self._forget = forget
        self._forget_reads()
        _shared_reads.add(self)

    def _forget_reads(self) -> None:
        self._lock = threading.Lock()
        self._under_way: _Read[T] | None = None
        self._failed: CredentialsUnavailableError | None = None
        self._failed_until = 0.0

    def __call__(self) -> T:
        """Read, or wait for the thread that is reading.

        Raises:
            CredentialsUnavailableError: The read failed, or a read failed less than `SHARED_FAILURE_SECONDS` ago.
        """
        while True:
            with self._lock:
                if self._failed is not None and time.monotonic() < self._failed_until:
                    raise _copy_of(self._failed)
                read = self._under_way
                mine = read is None
                if read is None:
                    read = self._under_way = _Read[T]()
            if mine:
                self._do(read)
            else:
                read.ended.wait()
            if read.failure is not None:
                raise _copy_of(read.failure)
            if read.value is not None:
                return read.value

    def _do(self, read: _Read[T]) -> None:
        try:
            read.value = self._read()
        except CredentialsUnavailableError as failure:
            read.failure = failure
        finally:
            with self._lock:
                self._under_way = None
                self._failed = read.failure
                self._failed_until = time.monotonic() + SHARED_FAILURE_SECONDS
            read.ended.set()


def _copy_of(failure: CredentialsUnavailableError) -> CredentialsUnavailableError:
    # Each thread gets its own error: redis-py and the interpreter modify the errors that they raise.
    return type(failure)(str(failure))


def _forget_reads_of_the_parent() -> None:
    # The thread that reads and holds the locks does not exist in the child.
    for shared in _shared_reads:
        shared._forget_reads()
        shared._forget()


_shared_reads: weakref.WeakSet[SharedRead[Any]] = weakref.WeakSet()
os.register_at_fork(after_in_child=_forget_reads_of_the_parent)
