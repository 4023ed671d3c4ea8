"""Rows of the fault matrix for engines with wrong answers: the checks must fail."""

from __future__ import annotations

import pytest

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._smoke_test.checks import CHECKS
from tests.runtime.support import faults_of_answers as make
from tests.runtime.support.battery import Battery
from tests.runtime.support.fault_lab import Lab
from tests.runtime.support.fault_rows import NO_PERMISSION, Fault, assert_found

TYPES = ("string", "hash", "list", "set", "sorted set", "stream")
LOST = "the engine lost a value, or kept an expired key: "
NO_MESSAGE = "a message did not arrive within 0.6 s, or a different one arrived"
BUSY = "a script blocks all other commands (BUSY): stop it with SCRIPT KILL or FUNCTION KILL, or wait until it ends"
OTHER_VALUE = "the value read is not the one written: "
REFUSES = "writes will be refused (OOM); use a larger node type or more shards, or delete data"
READER_IS_PRIMARY = (
    "the reader endpoint leads to a primary: a failover is not over, or it is the primary endpoint; give the reader "
    "endpoint"
)
OF_MEMORYDB = {
    "durability": "MemoryDB acknowledges a write once it is in its log in several Availability Zones: there is no "
    "replica to wait for"
}

FAULTS = [
    Fault(
        "one-node-refuses-the-sign-in",
        make.one_node("resetpass >another-password", "replica"),
        {
            "auth": "{node}: WRONGPASS: the store refused the sign-in (*); check that the secret holds the current "
            "password of user 'smoke'",
            **dict.fromkeys(("topology", "replica-read"), "{node}: WRONGPASS: the store refused the sign-in *"),
        },
    ),
    Fault(
        "signed-in-as-another",
        make.altering(
            lambda request, answer: answer.replace(b"$5\r\nsmoke", b"$5\r\nadmin") if b"WHOAMI" in request else answer
        ),
        {"auth": "{endpoint}: signed in as 'admin' instead of 'smoke'"},
    ),
    Fault(
        "another-value-is-read",
        make.altering(make.other_value_of(b":write:")),
        {"write-read": "shard of {endpoint}: " + OTHER_VALUE + "two stores share one name"},
    ),
    Fault(
        "another-value-is-read-from-a-replica",
        make.altering_of_replica(make.other_value_of(b":replica:")),
        {"replica-read": "localhost:{reader}: " + OTHER_VALUE + "it is another store"},
    ),
    *(
        Fault(
            f"a-{name}-is-lost".replace(" ", "-"),
            make.altering(make.type_that_loses(position)),
            {"data-types": LOST + name},
        )
        for position, name in enumerate(TYPES)
    ),
    Fault(
        "keys-do-not-expire",
        make.rewriting(b"$2\r\nPX\r\n$1\r\n5\r\n", b"$2\r\nPX\r\n$5\r\n60000\r\n"),
        {"data-types": LOST + "expiry"},
    ),
    Fault(
        "a-transaction-answers-something-else",
        make.altering(lambda _request, answer: answer.replace(b"$5\r\nfirst", b"$5\r\nother")),
        {"transaction": "EXEC did not return the answers of the queued commands"},
    ),
    Fault(
        "a-watched-key-is-forgotten",
        make.rewriting(b"$5\r\nWATCH\r\n", b"$3\r\nGET\r\n"),
        {"transaction": "EXEC ran although a watched key had changed"},
    ),
    Fault(
        "a-message-is-lost",
        make.altering(lambda _request, answer: b"" if b"\r\nmessage\r\n" in answer else answer),
        {"pubsub": NO_MESSAGE},
    ),
    Fault(
        "another-message-arrives",
        make.altering(lambda _request, answer: answer[:-8] + b"other!\r\n" if b"\r\nmessage\r\n" in answer else answer),
        {"pubsub": NO_MESSAGE},
    ),
    Fault(
        "a-name-has-a-public-address",
        make.resolving_to("8.8.8.8"),
        {"dns": "localhost: resolves to the public address 8.8.8.8: the name belongs to something outside the VPC"},
    ),
    Fault(
        "memory-is-nearly-full",
        make.full(0.91, "noeviction"),
        {"memory-headroom": "{endpoint}: * MiB are used (9?%) and the maxmemory-policy is noeviction: " + REFUSES},
    ),
    Fault("memory-is-not-yet-full", make.full(0.86, "noeviction"), {}),
    Fault(
        "memory-is-full-of-keys-that-stay",
        make.full(0.95, "volatile-lru"),
        {
            "memory-headroom": "{endpoint}: * MiB are used (9?%) and the maxmemory-policy is volatile-lru, which can "
            "evict ? of 2,00? keys: " + REFUSES
        },
    ),
    Fault("memory-is-full-of-a-cache-that-evicts", make.full(0.95, "allkeys-lru"), {}),
    Fault("memory-is-full-of-keys-that-expire", make.full(0.95, "volatile-lru", expiring=True), {}),
    Fault(
        "one-shard-does-not-answer-in-time",
        make.one_node(make.WITHOUT_LATENCY_KEYS, "primary"),
        {"latency": "{node}: " + NO_PERMISSION},
    ),
    Fault(
        "one-primary-is-stuck-in-a-script",
        make.busy_primary,
        {
            **dict.fromkeys(("auth", "topology", "latency"), "{primary}: " + BUSY),
            **dict.fromkeys(("write-read", "replica-read", "durability"), "shard of {primary}: " + BUSY),
        },
    ),
    Fault("reader-is-the-primary", make.reader_is_the_primary, {"replica-read": "{endpoint}: " + READER_IS_PRIMARY}),
    Fault(
        "reader-leads-to-the-primary",
        make.reader_leads_to_the_primary,
        {
            "replica-read": "{reader}: " + READER_IS_PRIMARY,
            "topology": "{reader}: it is the reader endpoint, but INFO reports role primary: *",
        },
    ),
    Fault(
        "memorydb-without-cluster-mode",
        lambda lab: {"engines": lab.single, "service": env.MEMORYDB},
        {
            "topology": "{endpoint}, {replica}: runs without cluster mode, which is always on in MemoryDB: it is "
            "another store"
        },
        OF_MEMORYDB,
    ),
    *(
        Fault(
            f"{system.lower().replace(' ', '-')}-for-{service}",
            make.altering(make.system_called(system), service=service),
            {
                "topology": f"{{endpoint}}: INFO reports os '{system}' (declared: {service}): it is another store, or "
                f"give --service {other}*"
            },
            OF_MEMORYDB if service == env.MEMORYDB else {},
        )
        for system, service, other in [
            ("Amazon ElastiCache", env.MEMORYDB, env.ELASTICACHE),
            ("Amazon MemoryDB", env.ELASTICACHE, env.MEMORYDB),
        ]
    ),
    Fault(
        "name-of-memorydb-for-elasticache",
        make.named("clustercfg.orders.abc123.memorydb.eu-west-1.amazonaws.com"),
        {
            "dns": "clustercfg.orders.abc123.memorydb.eu-west-1.amazonaws.com: is a host name of memorydb "
            "(declared: elasticache): it is another store, or give --service memorydb"
        },
    ),
    Fault(
        "name-of-elasticache-for-memorydb",
        make.named("master.orders.abc123.euw1.cache.amazonaws.com", service=env.MEMORYDB),
        {
            "dns": "master.orders.abc123.euw1.cache.amazonaws.com: is a host name of elasticache (declared: "
            "memorydb): it is another store, or give --service elasticache",
            "topology": "*: runs without cluster mode, which is always on in MemoryDB: it is another store",
        },
        OF_MEMORYDB,
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_wrong_answer_is_found(fault: Fault, lab: Lab, battery: Battery) -> None:
    assert_found(fault, lab, battery)


def test_every_check_finds_some_fault() -> None:
    """For each check there is a row in which it fails, so a check that always passes is detected."""
    from tests.runtime.smoke_test import test_fault_matrix, test_fault_matrix_findings, test_fault_matrix_words

    others = (test_fault_matrix, test_fault_matrix_findings, test_fault_matrix_words)
    failing = {name for module in others for fault in module.FAULTS for name in fault.failed}
    failing |= {name for fault in FAULTS for name in fault.failed}
    # Only for MemoryDB; test_managed_commands.py makes it fail.
    assert failing == {check.name for check in CHECKS} - {"managed-commands-refused"}
