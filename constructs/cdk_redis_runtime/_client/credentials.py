"""What the kinds of authentication share: errors of redis-py's family, one read for many threads, safe forks."""

from __future__ import annotations

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
"""How long a failure is the answer to everybody who asks. Otherwise every retry of every thread would wait for seconds
for a service that is away."""

NO_AWS_CREDENTIALS_CURE = (
    "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, sign in with aws sso login, or give the program's "
    "function, task or instance a role"
)
"""What to do where botocore's chain of credentials ends without any."""


class CredentialsUnavailableError(AuthenticationError):
    """There is nothing to sign in with: the store was not asked. The message says why, and holds nothing secret.

    It is an error of redis-py's family, so that redis-py hangs up and retries, and applications handle it, as they do
    with every other failed sign-in.
    """


class RenewableProvider(CredentialProvider):
    """Credentials that change while clients use them, and are read again where a store refuses them."""

    def renew(self, refused: tuple[str, ...]) -> bool:
        """Look for other credentials than those that a store refused.

        Args:
            refused: As `get_credentials` returned them.

        Returns:
            Whether `get_credentials` has others now.

        Raises:
            CredentialsUnavailableError: They could not be read.
        """
        raise NotImplementedError


class _Read(Generic[T]):
    """One read, and what came of it. Neither a value nor a failure: it was interrupted."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.value: T | None = None
        self.failure: CredentialsUnavailableError | None = None


class SharedRead(Generic[T]):
    """Reads for one thread at a time; who asks meanwhile gets what the first one got, a failure included."""

    def __init__(self, read: Callable[[], T]) -> None:
        """Keep the function for later.

        Args:
            read: Reads, and never returns None.
        """
        self._read = read
        self._forget_reads()
        _to_tell_of_forks.add(self)

    def _forget_reads(self) -> None:
        self._lock = threading.Lock()
        self._under_way: _Read[T] | None = None
        self._failed: CredentialsUnavailableError | None = None
        self._failed_until = 0.0

    def __call__(self) -> T:
        """Read, or share what another thread is reading.

        Raises:
            CredentialsUnavailableError: The read failed, or one did less than `SHARED_FAILURE_SECONDS` ago.
        """
        while True:
            with self._lock:
                if self._failed is not None and time.monotonic() < self._failed_until:
                    raise _again(self._failed)
                read = self._under_way
                mine = read is None
                if read is None:
                    read = self._under_way = _Read[T]()
            if mine:
                self._do(read)
            else:
                read.ended.wait()
            if read.failure is not None:
                raise _again(read.failure)
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


def _again(failure: CredentialsUnavailableError) -> CredentialsUnavailableError:
    # An error of its own for each thread: redis-py and the interpreter write into those that they raise.
    return type(failure)(str(failure))


def _forget_reads_of_the_parent() -> None:
    # The thread that reads, and holds the locks, was left behind in the parent.
    for shared in _to_tell_of_forks:
        shared._forget_reads()


_to_tell_of_forks: weakref.WeakSet[SharedRead[Any]] = weakref.WeakSet()
os.register_at_fork(after_in_child=_forget_reads_of_the_parent)
