"""One engine process: a primary or a replica."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from cdk_redis_local._core.errors import EngineError, full_disk_explained
from cdk_redis_local._core.workspace import Workspace
from cdk_redis_local._engines.acl import AclUser
from cdk_redis_local._engines.certificates import Certificate
from cdk_redis_local._engines.program import EngineProgram

HOST = "localhost"
START_SECONDS = 20.0
# Below the kernel's range for outgoing connections, so that a free port stays free.
_PORTS = range(10240, 32768)


@dataclass(frozen=True)
class Security:
    """TLS files of the nodes, and the user that manages them.

    ``certificate`` and ``ca_file`` are None in a set without TLS. ``manager`` is the internal user that forms
    clusters, replicates and changes ACLs; its password is random. With ``closed``, nodes with TLS accept only clients
    that have a certificate of the authority, too.
    """

    manager: AclUser
    certificate: Certificate | None
    ca_file: Path | None
    closed: bool = False


@dataclass(frozen=True)
class Place:
    """Where a node runs: on loopback, or in a network namespace that a command enters.

    Attributes:
        host: The host name or address that the node announces to clients; must be in its certificate.
        address: The address on which the node listens, and which it announces to other nodes.
        command: Prefix of the command that starts the node, such as ``nsenter``.
    """

    host: str = HOST
    address: str = "127.0.0.1"
    command: tuple[str, ...] = ()


LOOPBACK = Place()


def reserve_port() -> socket.socket:
    """Reserve a loopback port: while the returned socket is open, only an engine can listen on that port.

    The socket is bound without ``SO_REUSEADDR`` and sets it afterwards. Engines set ``SO_REUSEADDR``, so they can bind
    the port; this function does not set it before binding, so it never returns the same port twice.
    """
    for port in random.sample(_PORTS, 200):
        reservation = socket.socket()
        try:
            reservation.bind(("127.0.0.1", port))
        except OSError:
            reservation.close()
            continue
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return reservation
    raise EngineError(
        f"found no free port from {_PORTS.start} to {_PORTS.stop - 1} on 127.0.0.1: end programs that use them"
    )


def wait_until(
    condition: Callable[[], bool], what: str, seconds: float = START_SECONDS, *, alive: Iterable[Node] = ()
) -> None:
    """Wait until a condition is true. Connection errors count as false.

    Args:
        condition: Called repeatedly.
        what: The expected event, for the error message.
        seconds: The timeout.
        alive: Nodes that must not end during the wait.

    Raises:
        EngineError: The condition was not true in time, or a node in ``alive`` ended.
    """
    deadline = time.monotonic() + seconds
    alive = list(alive)
    while True:
        for node in alive:
            if not node.running:
                raise EngineError(f"{node} ended while waiting for {what}")
        with contextlib.suppress(RedisError, OSError):
            if condition():
                return
        if time.monotonic() > deadline:
            raise EngineError(f"timed out after {seconds:g} s waiting for {what}")
        time.sleep(0.03)


class Node:
    """An engine process.

    Clients connect to ``port``; the process listens on ``engine_port``, a different port if a gate is in front of it.
    ``shard`` counts from 0. ``started_as`` is ``primary`` or ``replica``: the role at the start, or after
    :meth:`EngineSet.fail_over`. The cluster may have changed the role since; :attr:`role` asks the engine. ``number``
    counts from 1 in the shard, and stays with the node: the last part of its name in the AWS API.
    """

    def __init__(
        self,
        program: EngineProgram,
        workspace: Workspace,
        directory: Path,
        security: Security,
        shard: int,
        role: str,
        place: Place = LOOPBACK,
        number: int = 1,
    ) -> None:
        """Reserve the ports; :meth:`start` starts the process."""
        self.shard = shard
        self.number = number
        self.started_as = role
        # Without cluster mode: the node of another set that this primary of its own set replicates from.
        self.followed: Node | None = None
        self.host = place.host
        self.address = place.address
        self._command = place.command
        self._reservations = [reserve_port(), reserve_port()]
        self.engine_port, self.bus_port = (int(socket.getsockname()[1]) for socket in self._reservations)
        self.port = self.engine_port
        self.process: subprocess.Popen[bytes] | None = None
        self.program = program
        self._workspace = workspace
        self.security = security
        # Number of keys here whose slots still belong to another node: if this node ends, they are lost.
        self.keys_in_transit = 0
        # Whether `stop` ended the node, so that it cannot be started again.
        self.stopped = False
        self._directory = directory
        self.admin = self.client(security.manager.name, security.manager.passwords[0], port=self.engine_port)

    def __str__(self) -> str:
        """Address and shard, for messages."""
        return f"the node at {self.host}:{self.port} (shard {self.shard})"

    def client(
        self,
        user: str | None = None,
        password: str | None = None,
        *,
        port: int | None = None,
        seconds: float = 10,
        decode: bool = True,
        name: str | None = None,
    ) -> redis.Redis:
        """A client of this node, with verified TLS, that signs in as this user. Default: - it does not sign in.

        ``seconds`` is the timeout of each answer, ``name`` the name of the connections. Without ``decode``, it returns
        bytes.
        """
        tls: dict[str, Any] = {}
        if self.security.ca_file:
            tls = {"ssl": True, "ssl_ca_certs": str(self.security.ca_file)}
        if self.security.certificate:
            own = self.security.certificate
            tls |= {"ssl_certfile": str(own.certificate_file), "ssl_keyfile": str(own.key_file)}
        return redis.Redis(
            host=self.host,
            port=port or self.port,
            username=user,
            password=password,
            decode_responses=decode,
            protocol=2,
            socket_timeout=seconds,
            client_name=name,
            retry=Retry(NoBackoff(), 0),
            **tls,
        )

    @property
    def role(self) -> str:
        """The current role in its set, ``primary`` or ``replica``, according to the engine."""
        if self.followed:
            return self.started_as
        return "primary" if self.admin.role()[0] == "master" else "replica"

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def log(self) -> str:
        """The engine's log."""
        path = self._directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def read_log(self, start: int) -> list[bytes]:
        """The whole lines of the engine's log from a position in bytes on; it grows when the node starts again."""
        path = self._directory / "log"
        if not path.exists():
            return []
        with path.open("rb") as log:
            log.seek(start)
            return [line for line in log if line.endswith(b"\n")]

    @full_disk_explained()
    def start(self, settings: Iterable[tuple[str, str]], users: Iterable[AclUser]) -> None:
        """Start the process; :meth:`wait` waits until it answers."""
        self._directory.mkdir(parents=True, exist_ok=True)
        acl_file = self._directory / "users.acl"
        acl_file.write_text("\n".join(user.line for user in (*users, self.security.manager)) + "\n")
        lines = [*self._own_settings(), ("aclfile", str(acl_file)), *settings]
        configuration = self._directory / "engine.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("".join(f'{name} "{value}"\n' for name, value in lines))
        with (self._directory / "log").open("ab") as log:
            self.process = self._workspace.spawn(
                [*self._command, self.program.path, str(configuration)], cwd=self._directory, stdout=log, stderr=log
            )

    def wait(self) -> None:
        """Wait until the engine answers.

        Raises:
            EngineError: The engine ended, or does not answer in time.
        """

        def answers() -> bool:
            if not self.running:
                raise EngineError(f"{self.program} did not start: {_last_line(self.log)}")
            return bool(self.admin.ping())

        wait_until(answers, f"an answer of {self.program} on port {self.engine_port}")

    def freeze(self) -> None:
        """Make the process hang: it keeps its port and connections, but does not answer."""
        if self.process:
            os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen process continue."""
        if self.process:
            os.kill(self.process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Kill the process and free its ports. A second call does nothing."""
        self.stopped = True
        for reservation in self._reservations:
            reservation.close()
        self.crash()

    def crash(self) -> None:
        """Kill the process and keep its ports reserved, so that it can be started again."""
        self.admin.close()
        if self.process:
            # SIGKILL, because nothing must be saved, and a frozen process does not react to SIGTERM.
            self.process.kill()
            self.process.wait()

    def remove_files(self) -> None:
        """Remove the files of a stopped node, including its log."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def _own_settings(self) -> list[tuple[str, str]]:
        manager = self.security.manager
        settings = [
            ("bind", self.address),
            ("save", ""),
            ("appendonly", "no"),
            ("dir", str(self._directory)),
            ("daemonize", "no"),
            ("repl-diskless-sync", "yes"),
            # The default delays the first full sync by five seconds, to wait for more replicas.
            ("repl-diskless-sync-delay", "0"),
            ("repl-ping-replica-period", "1"),
            ("masteruser", manager.name),
            ("masterauth", manager.passwords[0]),
            ("replica-announce-ip", self.host),
            ("replica-announce-port", str(self.port)),
        ]
        certificate = self.security.certificate
        if certificate is None or self.security.ca_file is None:
            return [*settings, ("port", str(self.engine_port))]
        return [
            *settings,
            ("port", "0"),
            ("tls-port", str(self.engine_port)),
            ("tls-cert-file", str(certificate.certificate_file)),
            ("tls-key-file", str(certificate.key_file)),
            ("tls-ca-cert-file", str(self.security.ca_file)),
            ("tls-auth-clients", "yes" if self.security.closed else "no"),
            ("tls-replication", "yes"),
            ("tls-protocols", "TLSv1.2 TLSv1.3"),
        ]


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it wrote nothing"
