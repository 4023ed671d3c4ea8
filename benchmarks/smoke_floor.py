"""How long the smoke test takes on a healthy store, against a floor measured in the same run.

The floor is a program of raw sockets: one TLS handshake with each node, a sign-in, and as many round trips, one after
the other, as the battery makes over TLS. The two take turns, so that a busy machine slows both down.
"""

from __future__ import annotations

import gc
import itertools
import os
import socket
import ssl
import statistics
import time
from typing import Any
from unittest import mock

from redis.credentials import UsernamePasswordCredentialProvider

from cdk_redis import AccessString
from cdk_redis_local import AclUser, EngineSet, find_engine
from cdk_redis_runtime import Connection, Declaration, smoke_test

PASSWORD = "a-password-of-the-benchmark"
PREFIX = "cdk-redis-smoke:"
RUNS = 30


def main() -> None:
    """Measure, and print the ratio."""
    user = AclUser("smoke", str(AccessString.smoke_test(PREFIX)), passwords=(PASSWORD,))
    with EngineSet(shards=3, replicas=1, cluster_mode=True, users=[user]) as engines:
        os.environ["SSL_CERT_FILE"] = engines.ca_file
        round_trips = _round_trips(engines)
        # A function in Lambda has no CDK in memory, through which the garbage collector would go again and again.
        gc.collect()
        gc.freeze()
        pairs = [(_battery(engines), _floor(engines, round_trips)) for _ in range(RUNS)]
    batteries, floors = zip(*pairs, strict=True)
    battery, floor = statistics.median(batteries), statistics.median(floors)
    print(
        f"battery {battery * 1000:.0f} ms, floor {floor * 1000:.0f} ms ({round_trips} round trips), medians of {RUNS}"
    )
    print(f"ratio battery/floor {battery / floor:.2f}")


def _battery(engines: EngineSet) -> float:
    host, port = engines.endpoint
    engine = find_engine()
    connection = Connection(
        "elasticache", "bench", host, port, authentication="password", user="smoke", region="eu-west-1"
    )
    declared = Declaration(engine.name, engine.major_minor, 3, 1, PREFIX, maxmemory_policy="noeviction")
    started = time.perf_counter()
    report = smoke_test(connection, declared, credentials=UsernamePasswordCredentialProvider("smoke", PASSWORD))
    seconds = time.perf_counter() - started
    if not report.passed:
        raise SystemExit(f"the healthy store failed: {report.failed}")
    return seconds


def _floor(engines: EngineSet, round_trips: int) -> float:
    started = time.perf_counter()
    context = ssl.create_default_context()
    shares = [round_trips // len(engines.nodes)] * len(engines.nodes)
    shares[0] += round_trips - sum(shares)
    for node, share in zip(engines.nodes, shares, strict=True):
        with socket.create_connection((node.host, node.port)) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(plain, server_hostname=node.host) as wire:
                _ask(wire, f"AUTH smoke {PASSWORD}\r\n".encode())
                for _ in range(share):
                    _ask(wire, b"ACL WHOAMI\r\n")
    return time.perf_counter() - started


def _ask(wire: ssl.SSLSocket, command: bytes) -> None:
    wire.sendall(command)
    received = b""
    while not received.endswith(b"\r\n"):
        received += wire.recv(4096)


def _round_trips(engines: EngineSet) -> int:
    """How often a battery sends something over TLS and waits for the answer."""
    sent = itertools.count()
    send = ssl.SSLSocket.sendall

    def count(self: ssl.SSLSocket, *arguments: Any) -> None:
        next(sent)
        send(self, *arguments)

    with mock.patch.object(ssl.SSLSocket, "sendall", count):
        _battery(engines)
    return next(sent)


if __name__ == "__main__":
    main()
