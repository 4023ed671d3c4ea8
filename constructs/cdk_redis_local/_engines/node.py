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

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._core.workspace import Workspace
from cdk_redis_local._engines.acl import AclUser
from cdk_redis_local._engines.certificates import Certificate
from cdk_redis_local._engines.program import EngineProgram

HOST = "localhost"
START_SECONDS = 20.0
# Below the range that the kernel hands out for outgoing connections, so that a port found free stays free.
_PORTS = range(10240, 32768)


@dataclass(frozen=True)
class Security:
    """How nodes are reached and by whom they are managed.

    ``certificate`` and ``ca_file`` are absent in a set without TLS. ``manager`` is the internal user that forms
    clusters, replicates and changes ACLs; its password never leaves the process.
    """

    manager: AclUser
    certificate: Certificate | None
    ca_file: Path | None


@dataclass(frozen=True)
class Place:
    """Where a node runs: on loopback, or in a network namespace that a command enters.

    Attributes:
        host: What clients are sent to: a name of its certificate, or its address.
        address: What it listens on, and tells the other nodes.
        command: Begins the command that starts it, as ``nsenter`` does.
    """

    host: str = HOST
    address: str = "127.0.0.1"
    command: tuple[str, ...] = ()


LOOPBACK = Place()


def reserve_port() -> socket.socket:
    """A loopback port that nobody else gets while the socket is open, but that an engine may listen on.

    Bound exclusively, then opened to the one process that binds it knowing of it: engines set ``SO_REUSEADDR``,
    those who look for a free port here do not.
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
    raise EngineError("found no free port on 127.0.0.1")


def wait_until(
    condition: Callable[[], bool], what: str, seconds: float = START_SECONDS, *, alive: Iterable[Node] = ()
) -> None:
    """Wait until the condition holds.

    Raises:
        EngineError: It did not within that many seconds, or one of the nodes that must stay ``alive`` ended; the
            message says ``what`` was waited for.
    """
    deadline = time.monotonic() + seconds
    alive = list(alive)
    while True:
        for node in alive:
            if not node.running:
                raise EngineError(f"{node} ended before {what} happened")
        with contextlib.suppress(RedisError, OSError):
            if condition():
                return
        if time.monotonic() > deadline:
            raise EngineError(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.03)


class Node:
    """An engine process.

    ``port`` is where clients connect, ``engine_port`` where the process itself listens: another one when a gate
    stands in front of it. ``shard`` counts from 0. ``started_as`` is ``primary`` or ``replica``, or what
    :meth:`EngineSet.fail_over` made of it; the nodes may have changed it since, :attr:`role` asks the engine.
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
    ) -> None:
        """Reserve the ports of a node that is not started yet."""
        self.shard = shard
        self.started_as = role
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
        # Keys of slots that still belong to another node: if this one ends, they are gone.
        self.keys_in_transit = 0
        self._directory = directory
        self.admin = self.client(security.manager.name, security.manager.passwords[0], port=self.engine_port)

    def __str__(self) -> str:
        """Which node, for people."""
        return f"the node at {self.host}:{self.port} (shard {self.shard})"

    def client(self, user: str | None = None, password: str | None = None, *, port: int | None = None) -> redis.Redis:
        """A client of this one node, TLS verified, that signs in as that user. Default: nobody."""
        tls: dict[str, Any] = {}
        if self.security.ca_file:
            tls = {"ssl": True, "ssl_ca_certs": str(self.security.ca_file)}
        return redis.Redis(
            host=self.host,
            port=port or self.port,
            username=user,
            password=password,
            decode_responses=True,
            protocol=2,
            socket_timeout=10,
            retry=Retry(NoBackoff(), 0),
            **tls,
        )

    @property
    def role(self) -> str:
        """``primary`` or ``replica``, as the engine says now."""
        return "primary" if self.admin.role()[0] == "master" else "replica"

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    @property
    def log(self) -> str:
        """What the engine wrote so far."""
        path = self._directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

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
            EngineError: It ended, or does not answer.
        """

        def answers() -> bool:
            if not self.running:
                raise EngineError(f"{self.program} ended at its start: {_last_line(self.log)}")
            return bool(self.admin.ping())

        wait_until(answers, f"the answer of {self.program} on port {self.engine_port}")

    def freeze(self) -> None:
        """Let the process hang: it keeps its port and its connections and says nothing."""
        if self.process:
            os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """End the hanging."""
        if self.process:
            os.kill(self.process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End the process at once and free its ports. A second call does nothing."""
        for reservation in self._reservations:
            reservation.close()
        self.crash()

    def crash(self) -> None:
        """End the process at once, in a way that it can be started again: its ports stay its own."""
        self.admin.close()
        if self.process:
            # Nothing is to be saved, and a frozen process does not hear a politer signal.
            self.process.kill()
            self.process.wait()

    def remove_files(self) -> None:
        """Remove what a stopped node leaves behind, its log too."""
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
            # Else a first full synchronisation waits five seconds for more replicas.
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
            ("tls-auth-clients", "no"),
            ("tls-replication", "yes"),
            ("tls-protocols", "TLSv1.2 TLSv1.3"),
        ]


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it wrote nothing"
