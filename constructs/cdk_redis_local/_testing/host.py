"""The process that owns a shared local cloud, see `shared`. Ends with its clients. Standard input has its options."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cdk_redis_local._cloud import LocalCloud
from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.environment import for_tools
from cdk_redis_local._testing.deploys import Deploys
from cdk_redis_local._testing.shared import address, is_of_this_user

# How long the host waits for the process that started it.
_FIRST_CLIENT_SECONDS = 30.0


class _Clients:
    """The connections of the processes that use the cloud."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._first: bytes | None = None
        self._connected: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._came = threading.Event()
        self._gone = threading.Event()
        threading.Thread(target=self._accept, daemon=True, name="clients").start()

    def begin(self, message: dict[str, Any]) -> None:
        """Send the first message to all clients, and to those that come later."""
        with self._lock:
            self._first = _line(message)
            self._send_to_all(self._first)

    def say(self, text: str) -> None:
        """Send a message of the cloud to all clients that have got the first one."""
        with self._lock:
            if self._first:
                self._send_to_all(_line({"say": text}))

    def wait(self, check: Callable[[], object] = lambda: None) -> None:
        """Wait until the last client has left. Nobody can connect any more after that.

        Args:
            check: Called about once a second; ends the wait with an error.
        """
        if self._came.wait(_FIRST_CLIENT_SECONDS):
            while not self._gone.wait(1.0):
                check()

    def _send_to_all(self, line: bytes) -> None:
        for client in self._connected:
            with contextlib.suppress(OSError):  # it has just ended
                client.sendall(line)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not is_of_this_user(client):
                client.close()
                continue
            with self._lock:
                self._connected.add(client)
                self._came.set()
                if self._first:
                    with contextlib.suppress(OSError):
                        client.sendall(self._first)
            threading.Thread(target=self._watch, args=[client], daemon=True, name="client").start()

    def _watch(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            client.recv(1)  # returns when the client ends: it sends nothing
        with self._lock:
            if len(self._connected) > 1:
                self._connected.discard(client)
                client.close()
            else:
                # The connection of the last one ends with this process: it waits until the cloud has ended. Because of
                # the lock, nobody comes in between; the next one starts a host of its own.
                self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
                self._gone.set()


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _changed(environment: dict[str, str]) -> dict[str, str]:
    """The variables that the cloud sets; each client has its own others."""
    own = for_tools(os.environ)
    return {name: value for name, value in environment.items() if own.get(name) != value}


def main() -> None:
    """Run the cloud until the last client has left."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    request = json.load(sys.stdin)
    options = request["options"]
    if options.get("node_modules"):
        options["node_modules"] = Path(options["node_modules"])
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(address(request["run"]))
    except OSError:
        return  # another process has started a host at the same time
    listener.listen()
    clients = _Clients(listener)
    try:
        with LocalCloud(**options, say=clients.say) as cloud:
            Deploys(cloud, Path(request["directory"])).bootstrap()
            clients.begin({"environment": _changed(cloud.environment), "log": str(cloud.log_file)})
            clients.wait(cloud.check)
    except LocalCloudError as error:
        clients.begin({"error": str(error)})
        clients.wait()


if __name__ == "__main__":
    main()
