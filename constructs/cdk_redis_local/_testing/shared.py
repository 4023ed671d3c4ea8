"""One local cloud for several processes of a test run, such as the workers of pytest-xdist.

The first process starts a host (see `host`), which owns the cloud. All processes keep a connection to it open, over
which it sends them the environment of the cloud and its messages. The kernel closes the connections of a process that
ends, also of one that is killed; the host ends after the last one. The socket is in Linux's abstract namespace: it is
no file, only one process can bind its name, and it vanishes with the host. Host and clients check that the other one
belongs to the same user.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from cdk_redis_local._cloud import LocalCloud
from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.environment import for_tools

_HOST = "cdk_redis_local._testing.host"
_START_SECONDS = 120.0
_STOP_SECONDS = 30.0
_CREDENTIALS = struct.Struct("3i")


def address(run: str) -> str:
    """The address of the host for a test run of this user."""
    return f"\0cdk-redis-local-{os.getuid()}-{run}"


def is_of_this_user(connection: socket.socket) -> bool:
    """Whether the process at the other end of a connection belongs to the user of this process."""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return _CREDENTIALS.unpack(found)[1] == os.getuid()


class SharedCloud(LocalCloud):
    """The cloud of a test run, which other processes use, too. It ends with the last of them."""

    def __init__(self, run: str, directory: Path, options: Mapping[str, Any]) -> None:
        """Describe the cloud; :meth:`start` starts it, or connects to it if another process has started it.

        Args:
            run: Name of the test run, which all its processes know.
            directory: The folder whose ``node_modules`` has the CDK CLI.
            options: The arguments of `LocalCloud`; only those of the first process count.

        Raises:
            LocalCloudError: An option is not one of values that JSON has.
        """
        super().__init__(**options)
        given = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
        try:
            self._request = json.dumps({"run": run, "directory": str(directory), "options": given})
        except TypeError as error:
            raise LocalCloudError(
                f"a shared cloud runs in another process, so it cannot have this option: {error}"
            ) from error
        self._run = run
        self._connection: socket.socket | None = None
        self._listener: threading.Thread | None = None
        self._log = Path()

    def stop(self) -> None:
        """Leave the cloud; it ends if no other process uses it. A second call does nothing."""
        self._ready.clear()
        if self._connection:
            with contextlib.suppress(OSError):  # the host has ended
                self._connection.shutdown(socket.SHUT_WR)
            if self._listener:
                # The host closes the last connection when the cloud has ended.
                self._listener.join(_STOP_SECONDS)
            self._connection.close()
            self._connection = None
        super().stop()

    @property
    def log_file(self) -> Path:
        """The log of the cloud's process."""
        return self._log

    def _start(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        host: subprocess.Popen[bytes] | None = None
        while time.monotonic() < deadline:
            answer = self._connect()
            if answer is not None:
                first, reader = answer
                self.environment = {**for_tools(os.environ), **first["environment"]}
                self.region, self._log = self.environment["AWS_REGION"], Path(first["log"])
                self._listener = threading.Thread(
                    target=self._listen_to, args=[reader], daemon=True, name="shared cloud"
                )
                self._ready.set()
                self._listener.start()
                return
            if host is None or host.poll() is not None:
                host = self._start_host()
            time.sleep(0.05)
        raise LocalCloudError(f"the shared local cloud did not start within {_START_SECONDS:g} s")

    def _start_host(self) -> subprocess.Popen[bytes]:
        # It must outlive this process, if others use it: so it is not bound to it.
        host = subprocess.Popen(
            [sys.executable, "-m", _HOST],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        assert host.stdin
        host.stdin.write(self._request.encode())
        host.stdin.close()
        return host

    def _connect(self) -> tuple[dict[str, Any], TextIO] | None:
        """Connect to the host; returns its first message. None if there is no host, or if it is just ending.

        Raises:
            LocalCloudError: The cloud did not start.
        """
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(address(self._run))
            if not is_of_this_user(connection):
                raise LocalCloudError("the host of the shared local cloud belongs to another user")
            reader = connection.makefile("r")
            line = reader.readline()
        except OSError:
            connection.close()
            return None
        except BaseException:
            connection.close()
            raise
        if not line:
            connection.close()
            return None
        first = json.loads(line)
        if "error" in first:
            connection.close()
            raise LocalCloudError(first["error"])
        self._connection = connection
        return first, reader

    def _listen_to(self, reader: TextIO) -> None:
        failure = "the shared local cloud has ended"
        with reader, contextlib.suppress(OSError, ValueError):  # a killed host may have written an incomplete line
            for line in reader:
                message = json.loads(line)
                failure = message.get("error", failure)
                if "say" in message:
                    self._tell(str(message["say"]))
        if self._ready.is_set():
            self._failure = failure
            self._ended.set()
