"""Engines that answer wrongly: they lose, keep or confuse data, or report wrong facts."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from redis.exceptions import ResponseError

from cdk_redis_local._engines.node import Node, wait_until
from cdk_redis_runtime._client.settings import Address
from tests.runtime.support.battery import PREFIX, smoke_user
from tests.runtime.support.fault_lab import Lab, Run, at
from tests.runtime.support.fault_proxy import black_hole

Alter = Callable[[bytes, bytes], bytes | None]

_FILLERS, _FILLER_BYTES = 2_000, 10_000
_RANDOM = rb"[0-9a-f]"


def altering(alter: Alter, **changes: Any) -> Callable[[Lab], Run]:
    """A primary whose answers a proxy changes."""
    return lambda lab: {"engines": lab.single, "port": lab.tls_proxy(alter=alter).port, **changes}


def altering_of_replica(alter: Alter) -> Callable[[Lab], Run]:
    def make(lab: Lab) -> Run:
        [replica] = lab.single.replica_nodes
        proxy = lab.tls_proxy(port=replica.port, alter=alter)
        return {"engines": lab.single, "reader": Address("localhost", proxy.port), "named": {"reader": proxy.port}}

    return make


def rewriting(old: bytes, new: bytes) -> Callable[[Lab], Run]:
    """A primary whose commands a proxy changes."""

    def make(lab: Lab) -> Run:
        return {"engines": lab.single, "port": lab.tls_proxy(rewrite=lambda sent: sent.replace(old, new)).port}

    return make


def other_value_of(command: bytes) -> Alter:
    """A command reads another value than was written."""

    def alter(request: bytes, answer: bytes) -> bytes:
        return (
            re.sub(rb"\$32\r\n" + _RANDOM + rb"{32}", b"$32\r\n" + b"0" * 32, answer) if command in request else answer
        )

    return alter


def gone(command: bytes) -> Alter:
    """A command finds no value."""

    def alter(request: bytes, answer: bytes) -> bytes:
        return re.sub(rb"\$32\r\n" + _RANDOM + rb"{32}", b"_", answer) if command in request else answer

    return alter


def type_that_loses(position: int) -> Alter:
    """The data type at a position, in the order in which the check asks for them, gives back another value."""

    def alter(request: bytes, answer: bytes) -> bytes:
        if b"ZADD" not in request:
            return answer
        numbers = itertools.count()
        pattern = rb"\$16\r\n" + _RANDOM + rb"{16}"
        return re.sub(pattern, lambda found: b"$16\r\n" + b"0" * 16 if next(numbers) == position else found[0], answer)

    return alter


def system_called(name: str) -> Alter:
    """INFO reports another operating system, as the services' engines do."""

    def alter(_request: bytes, answer: bytes) -> bytes:
        for found in re.finditer(rb"([$=])(\d+)\r\n", answer):
            begin, end = found.end(), found.end() + int(found[2])
            text = re.sub(rb"\nos:[^\r]*", b"\nos:" + name.encode(), answer[begin:end])
            if text != answer[begin:end]:
                return answer[: found.start()] + b"%s%d\r\n%s" % (found[1], len(text), text) + answer[end:]
        return answer

    return alter


def answered_without_sign_in(words: bytes, seconds: float = 60.0) -> Alter:
    """For so many seconds a client that has not signed in gets this answer instead of a refusal."""
    ends: list[float] = []

    def alter(_request: bytes, answer: bytes) -> bytes:
        ends.append(time.monotonic() + seconds)
        return words if answer.startswith(b"-NOAUTH") and time.monotonic() < ends[0] else answer

    return alter


def one_node(rules: str, of_role: str) -> Callable[[Lab], Run]:
    """On one node of the cluster the user has other permissions or another password."""

    def make(lab: Lab) -> Run:
        node = (lab.cluster.primaries if of_role == "primary" else lab.cluster.replica_nodes)[1]
        node.admin.execute_command("ACL", "SETUSER", "smoke", *rules.split())
        return {"engines": lab.cluster, "named": {"node": at(node), "primary": at(lab.cluster.primaries[1])}}

    return make


def busy_primary(lab: Lab) -> Run:
    """One of three primaries is stuck in a script."""
    node = lab.cluster.primaries[1]
    node.admin.config_set("busy-reply-threshold", 50)
    lab.undo.callback(_end_script, node)
    endless = threading.Thread(target=_run_for_ever, args=(node,), daemon=True)
    endless.start()
    time.sleep(0.2)
    return {"engines": lab.cluster, "named": {"primary": at(node)}}


def _run_for_ever(node: Node) -> None:
    manager = node.security.manager
    with (
        contextlib.closing(node.client(manager.name, manager.passwords[0], port=node.engine_port)) as client,
        pytest.raises(ResponseError, match="killed by user"),
    ):
        client.eval("while true do end", 0)


def _end_script(node: Node) -> None:
    node.admin.script_kill()
    wait_until(lambda: bool(node.admin.ping()), "the end of the script")
    node.admin.config_set("busy-reply-threshold", 5000)


def full(share: float, policy: str, *, expiring: bool = False, alter: Alter | None = None) -> Callable[[Lab], Run]:
    """A primary whose memory is filled to a given share with keys, with or without a time to live."""

    def make(lab: Lab) -> Run:
        [primary] = lab.single.primaries
        lab.undo.callback(primary.admin.flushall)
        lab.undo.callback(lab.single.set_parameters, {"maxmemory": "0", "maxmemory-policy": "noeviction"})
        with primary.admin.pipeline(transaction=False) as filling:
            for number in range(_FILLERS):
                # SETRANGE, because a command with a long value would itself use memory for some time.
                filling.setrange(f"filler:{number}", _FILLER_BYTES, "x")
                if expiring:
                    filling.expire(f"filler:{number}", 3600)
            filling.execute()
        used = int(primary.admin.info("memory")["used_memory"])
        lab.single.set_parameters({"maxmemory-policy": policy, "maxmemory": str(int(used / share))})
        run: Run = {"engines": lab.single, "maxmemory_policy": policy}
        return {**run, "port": lab.tls_proxy(alter=alter).port} if alter else run

    return make


def evicted_before_a_replica_is_read(lab: Lab) -> Run:
    """Neither the primary nor the replica has the key."""
    alter = gone(b":replica:")
    run = full(0.95, "allkeys-lru", alter=alter)(lab)
    port = lab.tls_proxy(port=lab.single.replica_nodes[0].port, alter=alter).port
    return {**run, "reader": Address("localhost", port), "named": {"reader": f"localhost:{port}"}}


def resolving_to(address: str) -> Callable[[Lab], Run]:
    """The host name has another address, too; nothing connects to it."""

    def make(lab: Lab) -> Run:
        ask = socket.getaddrinfo

        def resolve(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
            found = ask(host, port, *arguments, **options)
            # Only for a lookup without a port; connections look up the name with a port.
            return [*found, (*found[0][:4], (address, 0))] if port is None else found

        lab.find("monkeypatch").setattr("cdk_redis_runtime._smoke_test.checks.store.socket.getaddrinfo", resolve)
        return {"engines": lab.single}

    return make


def named(name: str, **changes: Any) -> Callable[[Lab], Run]:
    """A store with a host name as AWS assigns it, and a certificate for it."""

    def make(lab: Lab) -> Run:
        ask = socket.getaddrinfo

        def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
            return ask("127.0.0.1" if host == name else host, *arguments, **options)

        lab.find("monkeypatch").setattr("socket.getaddrinfo", resolve)
        port = lab.tls_proxy(lab.issue(name)).port
        return {"engines": lab.single, "host": name, "port": port, "named": {"endpoint": f"{name}:{port}"}, **changes}

    return make


def node_in_a_black_hole(lab: Lab) -> Run:
    """Clients cannot reach one of six nodes with the same security groups; the other nodes can."""
    port = lab.undo.enter_context(black_hole())
    gates = iter([None] * 5 + [port])
    engines = lab.start(
        shards=3,
        replicas=1,
        cluster_mode=True,
        users=[smoke_user()],
        open_gate=lambda node: next(gates) or node.engine_port,
    )
    groups = {"security_groups": ("sg-aaa",), "store_security_groups": ("sg-bbb",)}
    return {"engines": engines, "named": {"node": f"localhost:{port}"}, **groups}


def slow_greeting(lab: Lab) -> Run:
    return {"engines": lab.single, "port": lab.proxy(greeting_delay=0.7).port, "latency_limit_ms": 1000}


def reader_is_the_primary(lab: Lab) -> Run:
    return {"engines": lab.single, "reader": Address(*lab.single.endpoint)}


def reader_leads_to_the_primary(lab: Lab) -> Run:
    port = lab.proxy().port
    return {"engines": lab.single, "reader": Address("localhost", port), "named": {"reader": f"localhost:{port}"}}


WITHOUT_LATENCY_KEYS = " ".join(
    [
        "resetkeys",
        *(f"~{PREFIX}*:{name}:*" for name in ("write", "replica", "durable", "types", "transaction", "channel")),
    ]
)
"""The keys that the user can access, without the keys of the latency check."""
