"""One row for each fault: which checks fail with which message, and which are skipped; all others pass.

`Battery` and the fixtures of the stores check that each run ends in time, shows no secret and leaves no key.
"""

from __future__ import annotations

import datetime as dt

import pytest

from tests.runtime.support import fault_lab as make
from tests.runtime.support.battery import COMMANDS, PREFIX, Battery
from tests.runtime.support.fault_lab import Lab
from tests.runtime.support.fault_proxy import black_hole, silent_server
from tests.runtime.support.fault_rows import (
    BUDGET,
    EVERYTHING,
    NO_PERMISSION,
    NO_ROOM,
    NO_SLOTS,
    NO_TOKEN,
    NOT_ACKNOWLEDGED,
    NOT_THERE,
    NOT_TRIED,
    PLAINTEXT_ANSWERED,
    REFUSED,
    SIGNED_OUT,
    UNREACHED,
    UNTRUSTED,
    WRONG_PASSWORD,
    WRONG_TOKEN,
    Fault,
    assert_found,
    because_of,
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
            "latency": "{primary}: " + REFUSED,
            **dict.fromkeys(("write-read", "replica-read", "durability"), "shard of {primary}: " + REFUSED),
        },
    ),
    Fault("slots-missing", make.slots_missing(), {"topology": NO_SLOTS + "; 2 shards with slots (declared: 3)"}),
    Fault(
        "slots-missing-of-a-serverless-cache",
        make.slots_missing(shards=None, replicas=None, serverless=True),
        {"topology": NO_SLOTS},
    ),
    Fault(
        "replica-not-syncing",
        make.replica_not_syncing,
        {
            "topology": "{endpoint}: 0 replicas in sync (declared: 1): a replica is down or still copying data; "
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
            "tls": "{endpoint}: CERTIFICATE_VERIFY_FAILED (self-signed certificate in certificate chain): the "
            "certificate is from an authority that this machine does not trust: another server answers, or "
            "SSL_CERT_FILE names a file without that authority"
        },
        UNTRUSTED,
    ),
    Fault(
        "expired-certificate",
        make.expired_certificate,
        {
            "tls": "{endpoint}: CERTIFICATE_VERIFY_FAILED (certificate has expired): the certificate has expired, "
            "or the clock is wrong: this machine's clock says 20??-??-?? ??:?? UTC; set the clock, or renew the "
            "certificate"
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
        {"tls": "{endpoint}: offers nothing newer than TLS 1.1 (*); TLS 1.2 or newer is required"},
        UNTRUSTED,
    ),
    Fault(
        "plaintext-server",
        make.plaintext_server,
        {
            "tls": "{endpoint}: answers only without TLS: encryption in transit is off, or the port is wrong",
            "plaintext-refused": PLAINTEXT_ANSWERED,
        },
        {
            **because_of("tls", EVERYTHING - {"dns", "tls", "plaintext-refused"}),
            "replica-read": "the store is declared without replicas",
            "durability": "the store is declared without replicas: a write is lost with its node",
        },
    ),
    Fault("plaintext-and-tls", make.plaintext_and_tls, {"plaintext-refused": PLAINTEXT_ANSWERED}),
    Fault(
        "no-authentication",
        make.no_authentication,
        {
            "anonymous-refused": "{nodes}: answers PING, GET to a client that did not sign in: the user 'default' is "
            "on and needs no password; add a default user that is off to the access list"
        },
    ),
    Fault(
        "any-password",
        make.any_password,
        {
            "wrong-password-refused": "{nodes}: signs user 'smoke' in with a random password: the user needs no "
            "password (nopass); give it a password or IAM authentication"
        },
    ),
    Fault(
        "wrong-password",
        lambda lab: {"engines": lab.cluster, "password": "hunter2-hunter2-hunter2"},
        {"auth": WRONG_PASSWORD + "the secret holds the current password of user 'smoke'"},
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
            "acl-enforced": "user 'smoke' can read a key outside its prefix, run the administrative command CLIENT "
            "LIST, run the administrative command SLOWLOG, write a key outside its prefix; limit its access string to "
            "~cdk-redis-smoke:* and to the commands it needs"
        },
    ),
    Fault("fewer-shards", make.declared(shards=4), {"topology": "3 shards with slots (declared: 4)"}),
    Fault(
        "fewer-replicas",
        make.declared(replicas=2),
        {
            "topology": "shard of {primaries}: 1 replica in service (declared: 2): a replica is down or "
            "still copying data"
        },
    ),
    Fault(
        "other-version",
        make.declared(engine_version="6.2"),
        {"topology": "localhost:*: runs {engine} (declared: {name} 6.2): it was not upgraded, or it is another store"},
    ),
    Fault(
        "other-policy",
        make.with_parameters({"maxmemory-policy": "allkeys-lru"}),
        {
            "parameters": "{endpoint}, {replica}: runs with maxmemory-policy allkeys-lru (declared: noeviction): "
            "the store has another parameter group, or a change of it was not applied"
        },
    ),
    Fault(
        "full-memory",
        make.with_parameters({"maxmemory": "1mb", "maxmemory-policy": "noeviction"}),
        {
            **dict.fromkeys(("write-read", "replica-read", "durability"), "shard of {endpoint}: " + NO_ROOM),
            **dict.fromkeys(("data-types", "transaction"), NO_ROOM),
            "memory-headroom": "{endpoint}: * of 1.0 MiB are used (*%) and the maxmemory-policy is noeviction: "
            "writes will be refused (OOM); use a larger node type or more shards, or delete data",
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
            "latency": "{endpoint}: the median round trip takes 2* ms (limit: 100 ms): the node is overloaded or "
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
        {**because_of("dns", EVERYTHING - {"dns"}), **NOT_TRIED},
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
            "tls": "{endpoint}: connection timed out: most likely no security-group rule allows this function's "
            "group on the port, or the subnets have no route to the store"
        },
        UNREACHED,
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_found_and_explained(fault: Fault, lab: Lab, battery: Battery) -> None:
    assert_found(fault, lab, battery)


def test_healthy_store_passes_within_the_budget_of_the_faults(lab: Lab, battery: Battery) -> None:
    for engines in (lab.cluster, lab.single):
        battery.assert_verdicts(engines, {}, {}, budget=BUDGET)
