"""What a row of the fault matrix is, how it is run, and the words that several rows share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from cdk_redis_local import EngineSet
from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._smoke_test.battery import checks_of
from tests.runtime.support.battery import Battery
from tests.runtime.support.fault_lab import Lab, Run, at

# What may heal is tried again for half of it.
BUDGET = 3.0
EVERYTHING = frozenset(check.name for check in checks_of(env.ELASTICACHE))
# What needs no sign-in is judged all the same.
BEFORE_SIGN_IN = frozenset({"dns", "tls", "plaintext-refused", "anonymous-refused", "wrong-password-refused"})
AFTER_SIGN_IN = EVERYTHING - BEFORE_SIGN_IN - {"auth"}


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault, and what the battery is to say of it; whatever is not named passes."""

    name: str
    make: Callable[[Lab], Run]
    failed: Mapping[str, str]
    skipped: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    budget: float = BUDGET


def because_of(owner: str, names: frozenset[str]) -> dict[str, str]:
    return dict.fromkeys(names, f"needs what {owner} found missing; see there")


NOT_TRIED = {"plaintext-refused": "no connection came about to try it on; see dns and tls"}
UNREACHED = {**because_of("tls", EVERYTHING - {"dns", "tls"}), **NOT_TRIED}
UNTRUSTED = because_of("tls", EVERYTHING - {"dns", "tls", "plaintext-refused"})
SIGNED_OUT = because_of("auth", AFTER_SIGN_IN)
NO_TOKEN = {
    **because_of("auth", AFTER_SIGN_IN | {"managed-commands-refused"}),
    "durability": "MemoryDB acknowledges a write once it is in its log *: there is no replica to wait for",
}
REFUSED = "connection refused: no engine listens there; it is down, or the port is wrong"
NO_SLOTS = "5,462 of 16,384 slots are served by no shard (5461-10922): a shard is gone or resharding"
NOT_THERE = "a write did not arrive within * s: the replica lags, or its link to the primary is down"
NOT_ACKNOWLEDGED = (
    "no replica acknowledged a write within * s: the replicas lag, or their links to the primary are down; "
    "a failover now would lose acknowledged writes"
)
NO_PERMISSION = "NOPERM: the user may not do this (*o permissions to access *key*); extend its access string"
NO_ROOM = "the memory is full and the policy evicts nothing (OOM): raise the node type or the policy"
WRONG_PASSWORD = (
    "{endpoint}: WRONGPASS: the store refuses to sign the user in (invalid username-password pair or user is "
    "disabled); check that "
)
WRONG_TOKEN = (
    "user 'smoke' is an IAM user in the store's access list, that the role is allowed memorydb:Connect on both the "
    "store's and the user's ARN, and that the token's store '{store}' and Region 'eu-west-1' are the store's own, and "
    "that this machine's clock is right: a token is good for 15 minutes"
)
PLAINTEXT_ANSWERED = (
    "{endpoint}: answers commands without TLS: encryption in transit is off, or a plaintext port is open beside it"
)


def assert_found(fault: Fault, lab: Lab, battery: Battery) -> None:
    """The battery says of a fault what its row says, and nothing else."""
    run = fault.make(lab)
    engines = run.pop("engines")
    names = _names(engines, run) | run.pop("named", {})
    failed = {name: words.format_map(names) for name, words in fault.failed.items()}
    battery(engines, budget=fault.budget, **run).assert_are(failed, fault.skipped)


def _names(engines: EngineSet, run: Run) -> dict[str, object]:
    """What stands in braces in the words of a failure."""
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
