"""Rows of the fault matrix for what a check must not find: the wrong cause, or a fault where there is none."""

from __future__ import annotations

import pytest

from tests.runtime.support import faults_of_answers as make
from tests.runtime.support.battery import Battery
from tests.runtime.support.fault_lab import Lab
from tests.runtime.support.fault_rows import SIGNED_OUT, Fault, assert_found

LOADING = b"-LOADING Redis is loading the dataset in memory\r\n"
EVICTED = (
    "what was written is gone: it was evicted at once: * MiB are used (9?%) and the policy is allkeys-lru; take a "
    "larger node type or more shards, or another policy"
)
GONE = "what was written is gone: a failover lost it, another client deleted it, or two stores answer by one name"
NODE_UNREACHED = (
    "connection timed out, while the store's endpoint answers, which has the same security groups: the node is down or "
    "hangs, or a route or a network ACL keeps its subnet away"
)
NO_ANSWER = "did not answer in time: the engine hangs, is overloaded or answers very slowly, or cannot be reached"
AFTER_TOPOLOGY = {name: reason.replace("auth", "topology") for name, reason in SIGNED_OUT.items() if name != "topology"}

FAULTS = [
    Fault(
        "a-stranger-is-told-that-it-loads",
        make.altering(make.stranger_is_told(LOADING)),
        {
            "anonymous-refused": "{endpoint}: answers * of a client that did not sign in with '-LOADING Redis is "
            "loading the dataset in memory', from which neither a refusal nor a permission can be told*"
        },
    ),
    Fault("a-stranger-is-told-for-a-second-that-it-loads", make.altering(make.stranger_is_told(LOADING, 0.5)), {}),
    Fault(
        "keys-are-evicted-at-once",
        make.full(0.95, "allkeys-lru", alter=make.gone(b":write:")),
        {"write-read": "shard of {endpoint}: " + EVICTED},
    ),
    Fault(
        "keys-are-evicted-before-a-replica-is-read",
        make.evicted_before_a_replica_is_read,
        {"replica-read": "{reader}: " + EVICTED},
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
            "topology": "{endpoint}: the engine is in cluster mode, and the store is declared without: declare cluster "
            "mode, which --cluster does for the command"
        },
        {**AFTER_TOPOLOGY, "auth": "needs what topology found missing; see there"},
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_cause_is_found_and_no_other(fault: Fault, lab: Lab, battery: Battery) -> None:
    assert_found(fault, lab, battery)
