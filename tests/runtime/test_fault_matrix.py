"""One row a fault: what fails and in which words, what is skipped; all else passes.

That it ends in time, tells no secret and leaves no key is seen to by the battery and by the stores' fixtures.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cdk_redis_local import EngineSet
from cdk_redis_runtime import _environment as env
from cdk_redis_runtime._battery import checks_of
from cdk_redis_runtime._clock import side_by_side
from tests.runtime import fault_lab as make
from tests.runtime.battery import COMMANDS, PREFIX, Battery, assert_no_key, smoke_user
from tests.runtime.fault_lab import Lab, Run, at
from tests.runtime.fault_proxy import black_hole, silent_server

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


def _because_of(owner: str, names: frozenset[str]) -> dict[str, str]:
    return dict.fromkeys(names, f"needs what {owner} found missing; see there")


NOT_TRIED = {"plaintext-refused": "no connection came about to try it on; see dns and tls"}
UNREACHED = {**_because_of("tls", EVERYTHING - {"dns", "tls"}), **NOT_TRIED}
UNTRUSTED = _because_of("tls", EVERYTHING - {"dns", "tls", "plaintext-refused"})
SIGNED_OUT = _because_of("auth", AFTER_SIGN_IN)
NO_TOKEN = {
    **_because_of("auth", AFTER_SIGN_IN | {"managed-commands-refused"}),
    "durability": "MemoryDB acknowledges a write once it is in its log *: there is no replica to wait for",
}
REFUSED = "connection refused: no engine listens there; it is down, or the port is wrong"
NO_SLOTS = "5,462 of 16,384 slots are served by no shard (5461-10922): a shard is gone or resharding"
NOT_THERE = "a write did not arrive within * s: the replica lags, or its link to the primary is down"
NOT_ACKNOWLEDGED = (
    "no replica acknowledged a write within * s: the replicas lag, or their links to the primary are down; "
    "a failover now would lose acknowledged writes"
)
NO_PERMISSION = (
    "NOPERM: the user may not do this (*no permissions to access one of the keys*); extend its access string"
)
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

FAULTS = [
    Fault("server-down", make.server_down, {"tls": "{endpoint}: " + REFUSED}, UNREACHED),
    Fault(
        "one-node-of-six-down",
        make.node_down,
        {
            **dict.fromkeys(("tls", "topology", "replica-read"), "{replica}: " + REFUSED),
            "durability": "shard of {primary}: " + NOT_ACKNOWLEDGED,
        },
    ),
    Fault(
        "shard-down",
        make.shard_down,
        {
            **dict.fromkeys(("tls", "topology"), "{primary}, {replica}: " + REFUSED),
            **dict.fromkeys(("write-read", "replica-read", "durability"), "shard of {primary}: " + REFUSED),
        },
    ),
    Fault("slots-missing", make.slots_missing(), {"topology": NO_SLOTS + "; 2 shards with slots, declared are 3"}),
    Fault(
        "slots-missing-of-a-serverless-cache",
        make.slots_missing(shards=None, replicas=None, serverless=True),
        {"topology": NO_SLOTS},
    ),
    Fault(
        "replica-not-syncing",
        make.replica_not_syncing,
        {
            "topology": "{endpoint}: 0 replicas in sync, declared are 1: a replica is down or still copying; "
            "{replica}: its link to the primary is down: it serves old data",
            "replica-read": "{replica}: " + NOT_THERE,
            "durability": "shard of {endpoint}: " + NOT_ACKNOWLEDGED,
        },
    ),
    Fault(
        "replica-lagging",
        make.replica_lagging,
        {"replica-read": "{replica}: " + NOT_THERE, "durability": "shard of {endpoint}: " + NOT_ACKNOWLEDGED},
    ),
    Fault(
        "wrong-authority",
        make.wrong_authority,
        {
            "tls": "{endpoint}: CERTIFICATE_VERIFY_FAILED (*): the certificate is from an authority that this machine "
            "does not trust: another server answers, or SSL_CERT_FILE names the wrong file"
        },
        UNTRUSTED,
    ),
    Fault(
        "expired-certificate",
        make.expired_certificate,
        {
            "tls": "{endpoint}: CERTIFICATE_VERIFY_FAILED (certificate has expired): the certificate has expired, "
            "or this machine's clock is wrong"
        },
        UNTRUSTED,
    ),
    Fault(
        "other-host-name",
        make.other_name,
        {
            "tls": "{endpoint}: CERTIFICATE_VERIFY_FAILED (Hostname mismatch, *'localhost'.): the certificate is for "
            "another host name; connect by the name that AWS gives"
        },
        UNTRUSTED,
    ),
    Fault(
        "tls-1.1-only",
        make.old_tls,
        {"tls": "{endpoint}: offers nothing newer than TLS 1.1 (*); TLS 1.2 is the least that is accepted"},
        UNTRUSTED,
    ),
    Fault(
        "plaintext-server",
        make.plaintext_server,
        {
            "tls": "{endpoint}: answers in plaintext only: encryption in transit is off, or the port is wrong",
            "plaintext-refused": PLAINTEXT_ANSWERED,
        },
        {
            **_because_of("tls", EVERYTHING - {"dns", "tls", "plaintext-refused"}),
            "replica-read": "the store is declared without replicas",
            "durability": "the store is declared without replicas: a write is as durable as its node",
        },
    ),
    Fault("plaintext-beside-tls", make.plaintext_beside_tls, {"plaintext-refused": PLAINTEXT_ANSWERED}),
    Fault(
        "no-authentication",
        make.no_authentication,
        {
            "anonymous-refused": "{nodes}: answers PING, GET to a client that did not sign in: the user default is on "
            "without a password; put a default user that is off into the access list"
        },
    ),
    Fault(
        "any-password",
        make.any_password,
        {
            "wrong-password-refused": "{nodes}: lets user 'smoke' in with a password that was made up: the user needs "
            "none (nopass); give it a password or IAM authentication"
        },
    ),
    Fault(
        "wrong-password",
        lambda lab: {"engines": lab.cluster, "password": "not-the-password-of-the-user"},
        {"auth": WRONG_PASSWORD + "the secret holds the password that user 'smoke' has now"},
        SIGNED_OUT,
    ),
    Fault(
        "expired-token",
        make.with_token("orders", age=dt.timedelta(minutes=20)),
        {"auth": WRONG_PASSWORD + WRONG_TOKEN},
        NO_TOKEN,
    ),
    Fault("token-for-another-store", make.with_token("invoices"), {"auth": WRONG_PASSWORD + WRONG_TOKEN}, NO_TOKEN),
    Fault(
        "access-without-the-prefix",
        make.with_access(f"on ~other:* resetchannels &{PREFIX}* -@all {COMMANDS}"),
        {
            **dict.fromkeys(("write-read", "replica-read", "durability"), "shard of {primaries}: " + NO_PERMISSION),
            **dict.fromkeys(("data-types", "transaction"), NO_PERMISSION),
            "latency": "localhost:*: " + NO_PERMISSION,
        },
    ),
    Fault(
        "access-to-everything",
        make.with_access("on ~* &* +@all"),
        {
            "acl-enforced": "user 'smoke' is allowed the administrative command CLIENT LIST, the administrative "
            "command SLOWLOG, to read a key outside its prefix, to write a key outside its prefix; its access string "
            "should be held to ~cdk-redis-smoke:* and to the commands it needs"
        },
    ),
    Fault("fewer-shards", make.declared(shards=4), {"topology": "3 shards with slots, declared are 4"}),
    Fault(
        "fewer-replicas",
        make.declared(replicas=2),
        {"topology": "shard of {primaries}: 1 replica in service, declared are 2: a replica is down or still copying"},
    ),
    Fault(
        "other-version",
        make.declared(engine_version="6.2"),
        {"topology": "localhost:*: runs {engine}, declared is {name} 6.2: the upgrade did not reach it"},
    ),
    Fault(
        "other-policy",
        make.with_parameters({"maxmemory-policy": "allkeys-lru"}),
        {
            "parameters": "{endpoint}, {replica}: runs with maxmemory-policy allkeys-lru, declared is noeviction: "
            "the store has another parameter group, or a change of it was not applied"
        },
    ),
    Fault(
        "full-memory",
        make.with_parameters({"maxmemory": "1mb", "maxmemory-policy": "noeviction"}),
        {
            **dict.fromkeys(("write-read", "replica-read", "durability"), "shard of {endpoint}: " + NO_ROOM),
            **dict.fromkeys(("data-types", "transaction"), NO_ROOM),
            "memory-headroom": "{endpoint}: * of 1.0 MiB are used (1*%) and the policy is noeviction: writes will be "
            "refused (OOM); take a larger node type or more shards, or delete data",
        },
    ),
    Fault(
        "never-answers",
        make.behind(silent_server),
        {
            "tls": "{endpoint}: accepted the connection and did not answer the TLS handshake in time: the engine "
            "hangs, is overloaded or answers very slowly, or something else listens on the port; see the engine log"
        },
        UNREACHED,
    ),
    Fault(
        "a-byte-a-second",
        make.dripping,
        {
            "auth": "{endpoint}: did not answer in time: the engine hangs, is overloaded or answers very slowly, "
            "or cannot be reached"
        },
        SIGNED_OUT,
    ),
    Fault(
        "slow-server",
        make.slow,
        {
            "latency": "{endpoint}: the median round trip takes 2* ms, allowed are 100 ms: the node is overloaded or "
            "too small, or the network is slow"
        },
        budget=8.0,
    ),
    Fault(
        "name-does-not-resolve",
        lambda lab: {"engines": lab.single, "host": "orders.invalid", "reader": None},
        {
            "dns": "orders.invalid: the host name does not resolve (*): check the name, and that DNS support is on in "
            "the VPC"
        },
        {**_because_of("dns", EVERYTHING - {"dns"}), **NOT_TRIED},
    ),
    Fault(
        "black-hole",
        make.behind(black_hole, security_groups=("sg-aaa",), store_security_groups=("sg-bbb",)),
        {
            "tls": "{endpoint}: connection timed out: most likely no security-group rule from sg-aaa to sg-bbb on "
            "{port}, or the subnets have no route to the store"
        },
        UNREACHED,
    ),
    Fault(
        "black-hole-between-unknown-groups",
        make.behind(black_hole),
        {
            "tls": "{endpoint}: connection timed out: most likely no security-group rule lets this function's group "
            "in on the port, or the subnets have no route to the store"
        },
        UNREACHED,
    ),
]


@pytest.fixture(scope="module")
def spares() -> Iterator[dict[str, EngineSet]]:
    """Clusters to be broken for good. Nobody in them is taken for failed while it is looked at."""
    options: dict[str, Any] = {"shards": 3, "replicas": 1, "cluster_mode": True, "users": [smoke_user()]}
    spares = {name: EngineSet(**options, node_timeout=60) for name in ("node-down", "shard-down", "slots-missing")}
    try:
        # Most of a start is waiting.
        for done in side_by_side(EngineSet.start, list(spares.values()), 60):
            if done.error:
                raise done.error
        yield spares
        for engines in spares.values():
            assert_no_key(engines)
    finally:
        for engines in spares.values():
            engines.stop()


@pytest.fixture
def lab(cluster: EngineSet, single: EngineSet, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    with contextlib.ExitStack() as undo:
        yield Lab(cluster, single, tmp_path, undo, request.getfixturevalue)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_found_and_explained(fault: Fault, lab: Lab, battery: Battery) -> None:
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


def test_a_healthy_store_passes_within_the_budget_of_a_broken_one(lab: Lab, battery: Battery) -> None:
    for engines in (lab.cluster, lab.single):
        battery(engines, budget=BUDGET).assert_are({}, {})
