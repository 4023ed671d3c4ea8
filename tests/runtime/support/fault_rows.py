"""Rows of the fault matrix, a function that runs one, and messages that several rows share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from cdk_redis_local import EngineSet
from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._smoke_test.battery import checks_of
from tests.runtime.support.battery import Battery
from tests.runtime.support.fault_lab import Lab, Run, at

# Checks whose outcome may heal are tried again for 70 % of it.
BUDGET = 3.0
EVERYTHING = frozenset(check.name for check in checks_of(env.ELASTICACHE))
# Checks that need no sign-in.
BEFORE_SIGN_IN = frozenset({"dns", "tls", "plaintext-refused", "anonymous-refused", "wrong-password-refused"})
AFTER_SIGN_IN = EVERYTHING - BEFORE_SIGN_IN - {"auth"}


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault, and the checks that fail or are skipped because of it; all others pass."""

    name: str
    make: Callable[[Lab], Run]
    failed: Mapping[str, str]
    skipped: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    budget: float = BUDGET


def because_of(owner: str, names: frozenset[str]) -> dict[str, str]:
    return dict.fromkeys(names, f"not tried, because {owner} failed; see {owner}")


NOT_TRIED = {"plaintext-refused": "not tried: no address accepted a connection; see dns and tls"}
UNREACHED = {**because_of("tls", EVERYTHING - {"dns", "tls"}), **NOT_TRIED}
UNTRUSTED = because_of("tls", EVERYTHING - {"dns", "tls", "plaintext-refused"})
SIGNED_OUT = because_of("auth", AFTER_SIGN_IN)
NO_TOKEN = {
    **because_of("auth", AFTER_SIGN_IN | {"managed-commands-refused"}),
    "durability": "MemoryDB acknowledges a write once it is in its log *: there is no replica to wait for",
}
REFUSED = "connection refused: no engine listens there; it is down, or the port is wrong"
NO_SLOTS = "no shard serves 5,462 of 16,384 slots (5461-10922): a shard is down, or slots are being moved"
NOT_THERE = "a write did not arrive within * s: the replica lags, or its link to the primary is down"
NOT_ACKNOWLEDGED = (
    "no replica acknowledged a write within * s: the replicas lag, or their links to the primary are down; "
    "a failover now would lose acknowledged writes"
)
NO_PERMISSION = "NOPERM: the user lacks a permission (*o permissions to access *key*); extend its access string"
NO_ROOM = "memory is full and the maxmemory-policy evicts nothing (OOM): use a larger node type or another policy"
WRONG_PASSWORD = (
    "{endpoint}: WRONGPASS: the store refused the sign-in (invalid username-password pair or user is disabled); check "
    "that "
)
WRONG_TOKEN = (
    "user 'smoke' is an IAM user in the store's access list, that the role is allowed memorydb:Connect on both the "
    "store's and the user's ARN, and that the token's store '{store}' and Region 'eu-west-1' are the store's own, and "
    "that this machine's clock is right: a token is valid for 15 minutes"
)
PLAINTEXT_ANSWERED = (
    "{endpoint}: answers commands without TLS: encryption in transit is off, or a plaintext port is open as well"
)


def assert_found(fault: Fault, lab: Lab, battery: Battery) -> None:
    """Assert that the smoke test reports exactly what the row expects."""
    run = fault.make(lab)
    engines = run.pop("engines")
    names = _names(engines, run) | run.pop("named", {})
    failed = {name: words.format_map(names) for name, words in fault.failed.items()}
    battery.assert_verdicts(engines, failed, fault.skipped, budget=fault.budget, **run)


def _names(engines: EngineSet, run: Run) -> dict[str, object]:
    """The texts that replace the names in braces in the expected messages."""
    port = run.get("port", engines.endpoint[1])
    return {
        "endpoint": f"localhost:{port}",
        "port": port,
        "store": run.get("store"),
        "engine": f"{engines.program.name} {engines.program.version}",
        "name": engines.program.name,
        "nodes": ", ".join("localhost:*" for _ in engines.nodes),
        "primaries": ", shard of ".join(at(node) for node in engines.primaries),
        "replica": ", ".join(at(node) for node in engines.replica_nodes),
    }
