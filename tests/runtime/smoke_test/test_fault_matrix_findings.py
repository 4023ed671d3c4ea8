"""Rows of the fault matrix for causes that are easy to confuse, and for healthy stores that look faulty."""

from __future__ import annotations

import pytest

from tests.runtime.support import faults_of_answers as make
from tests.runtime.support.battery import Battery
from tests.runtime.support.fault_lab import Lab
from tests.runtime.support.fault_rows import SIGNED_OUT, Fault, assert_found

LOADING = b"-LOADING Redis is loading the dataset in memory\r\n"
EVICTED = (
    "the key is gone right after it was written: it was evicted: * MiB are used (9?%) and the maxmemory-policy is "
    "allkeys-lru; use a larger node type, more shards or another policy"
)
GONE = (
    "the key is gone right after it was written: a failover lost it, another client deleted it, or two stores share "
    "one name"
)
NODE_UNREACHED = (
    "connection timed out, but the store's endpoint answers, which has the same security groups: the node is down or "
    "hangs, or a route or a network ACL blocks its subnet"
)
NO_ANSWER = "did not answer in time: the engine hangs, is overloaded or answers very slowly, or cannot be reached"
AFTER_TOPOLOGY = {name: reason.replace("auth", "topology") for name, reason in SIGNED_OUT.items() if name != "topology"}

FAULTS = [
    Fault(
        "loading-is-answered-without-a-sign-in",
        make.altering(make.answered_without_sign_in(LOADING)),
        {
            "anonymous-refused": "{endpoint}: answers * from a client that did not sign in with '-LOADING Redis is "
            "loading the dataset in memory', which neither refuses nor allows it*"
        },
    ),
    Fault(
        "loading-is-answered-for-a-moment-without-a-sign-in",
        make.altering(make.answered_without_sign_in(LOADING, 0.5)),
        {},
    ),
    Fault(
        "keys-are-evicted-at-once",
        make.full(0.95, "allkeys-lru", alter=make.gone(b":write:")),
        {"write-read": "shard of {endpoint}: " + EVICTED},
    ),
    Fault(
        "keys-are-evicted-before-a-replica-is-read",
        make.evicted_before_a_replica_is_read,
        {"replica-read": "{reader}: " + EVICTED},
        budget=8.0,
    ),
    Fault(
        "keys-are-gone-at-once",
        make.altering(make.gone(b":write:")),
        {"write-read": "shard of {endpoint}: " + GONE},
    ),
    Fault("greetings-are-slow", make.slow_greeting, {}, budget=6.0),
    Fault(
        "one-node-of-six-in-a-black-hole",
        make.node_in_a_black_hole,
        {"tls": "{node}: " + NODE_UNREACHED, **dict.fromkeys(("topology", "replica-read"), "{node}: " + NO_ANSWER)},
    ),
    Fault(
        "cluster-mode-is-not-declared",
        lambda lab: {"engines": lab.cluster, "cluster_mode": False},
        {
            "topology": "{endpoint}: cluster mode is on, but the store is declared without it: declare cluster mode "
            "(--cluster on the command line)"
        },
        {**AFTER_TOPOLOGY, "auth": "not tried, because topology failed; see topology"},
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_correct_cause_is_reported(fault: Fault, lab: Lab, battery: Battery) -> None:
    assert_found(fault, lab, battery)
