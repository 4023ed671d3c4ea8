"""An app of replication groups with random parameters.

``python -m tests.compliance.support.combinations OUTDIR`` synthesizes it.

Starting a process, a synth and a linter takes most of the time, for any number of stores: so all stores share one app
and a few stacks. Prints how many stores were accepted, how often each parameter was refused, and which pairs of
parameters were never drawn together.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from cdk_redis import (
    AccessString,
    Authentication,
    ConfigurationError,
    Durability,
    Engine,
    IpDiscovery,
    LogDelivery,
    LogFormat,
    MaintenanceWindow,
    NetworkType,
    ReplicationGroup,
    Restore,
    ShardPlacement,
    Snapshots,
    SnapshotWindow,
    TransitEncryptionMode,
)
from tests.compliance.support.covering import Covering
from tests.compliance.support.elasticache import REGION, ZONES, Parts

# With this number, every pair of parameters is drawn together at least four times, 19 times on average. With half of
# it, five of the 351 pairs are never drawn.
COMBINATIONS = 1_000
# CloudFormation accepts 500 resources in a template, and a store has about ten.
STORES_IN_A_STACK = 40
# Names of the stacks that cfn-lint reads begin with this, see `Covering`.
LINTED = "Linted"

ENGINES = [
    *(Engine.valkey(version) for version in ("7.2", "8.0", "8.1", "8.2", "9.0", "9.1")),
    *(Engine.redis(version) for version in ("4.0.10", "5.0.6", "6.0", "6.2", "7.0", "7.1")),
    Engine.valkey("7.3"),
    Engine.of("valkey", "10.0", elasticache_family="valkey10"),
]
NODE_TYPES = [
    "cache.t4g.small",
    "cache.r7g.large",
    "cache.r6gd.xlarge",
    "cache.m5.large",
    "cache.t2.small",
    "db.r7g.large",
]
_LONGEST_NAME = "a" * 40
ARN = "arn:aws:s3:::backups/orders.rdb"

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "engine": st.sampled_from(ENGINES),
    "node_type": st.sampled_from(NODE_TYPES) | st.sampled_from(["", "large", 7]),
    "shards": st.integers(1, 4) | st.sampled_from([0, 90, 501, True, "2"]),
    "replicas": st.integers(0, 3) | st.sampled_from([-1, 5, 6, "1"]),
    "port": st.sampled_from([6379, 6380, 1150, 65535, 80, 8005, "6379"]),
    "kms_key": st.sampled_from(
        [
            f"arn:aws:kms:{region}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
            for region in (REGION, "eu-west-1")
        ]
    ),
    "create_kms_key": st.booleans(),
    "parameters": st.sampled_from(
        [
            {},
            {"maxmemory-policy": "allkeys-lru"},
            {"maxmemory-policy": "allkeys-lfu"},
            {"timeout": 300},
            {"tmieout": "3"},
        ]
    ),
    "extra_parameters": st.sampled_from([{}, {"brand-new": "yes"}, {"timeout": "20"}, {"cluster-enabled": "yes"}]),
    "snapshots": st.sampled_from(
        [Snapshots.off(), Snapshots.daily(35), Snapshots.daily(window=SnapshotWindow("03:00-04:00"))]
    ),
    "maintenance_window": st.sampled_from(
        [MaintenanceWindow("sun:03:30-sun:05:00"), MaintenanceWindow("sat:23:00-sun:01:00")]
    ),
    "auto_minor_version_upgrade": st.booleans(),
    "authentication": st.sampled_from(
        [Authentication.auth_token(), Authentication.iam(), Authentication.auth_token(generation=2)]
    ),
    "log_delivery": st.lists(
        st.sampled_from(
            [LogDelivery.slow_log(), LogDelivery.engine_log(), LogDelivery.slow_log(format=LogFormat.TEXT)]
        ),
        max_size=2,
    ),
    "notification_topic": st.sampled_from(
        [
            f"arn:aws:sns:{REGION}:{account}:{name}"
            for account in ("111122223333", "999999999999")
            for name in ("t", "t.fifo")
        ]
    ),
    "network_type": st.sampled_from([*NetworkType, "ipv6"]),
    "ip_discovery": st.sampled_from([*IpDiscovery]),
    "placement": st.lists(st.lists(st.sampled_from([*ZONES, "us-east-1f"]), min_size=1, max_size=3), max_size=3),
    "restore": st.sampled_from(
        [Restore.from_snapshot("orders"), Restore.from_s3(ARN), Restore.from_s3(ARN, f"{ARN}2")]
    ),
    "durability": st.sampled_from([*Durability, "sync"]),
    "cluster_mode_compatible": st.booleans(),
    "transit_encryption_mode": st.sampled_from([*TransitEncryptionMode]),
    "replication_group_id": st.sampled_from(["orders", "Orders", _LONGEST_NAME, f"{_LONGEST_NAME}a", "a--b", "a-"]),
    "description": st.sampled_from(["Orders", "", "Ünïcode"]),
    "removal_policy": st.sampled_from(
        [cdk.RemovalPolicy.SNAPSHOT, cdk.RemovalPolicy.RETAIN, cdk.RemovalPolicy.DESTROY]
    ),
    "unsafe_open_access": st.booleans(),
    "unsafe_plaintext": st.booleans(),
}
# Methods that are called after the constructor.
AFTERWARDS = st.sets(st.sampled_from(["iam", "password", "shards", "replicas"]), max_size=2)


@st.composite
def _combinations(draw: st.DrawFn) -> dict[str, Any]:
    # Only a few parameters: almost no store with thirty random parameters would be accepted.
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True, max_size=6))
    return {name: draw(VALUES[name]) for name in names}


def _drawn(count: int) -> list[tuple[dict[str, Any], set[str]]]:
    found: list[tuple[dict[str, Any], set[str]]] = []

    @seed(20260131)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(_combinations(), AFTERWARDS)
    def collect(combination: dict[str, Any], afterwards: set[str]) -> None:
        found.append((combination, afterwards))

    collect()
    return found


@dataclass
class _OpenStack:
    parts: Parts
    stores: int = 0


class _Builder:
    """Defines stores in stacks of one app, and counts the accepted and refused ones."""

    def __init__(self, outdir: Path) -> None:
        context = {"@aws-cdk/core:validateAgainstDefaultRules": True}
        self.app = cdk.App(outdir=str(outdir), context=context)
        self.refused: Counter[str] = Counter()
        self.accepted = 0
        self._count = 0
        self._covering = Covering()
        # The stacks that are open for more stores: those that cfn-lint reads, and the others.
        self._open: dict[str, _OpenStack] = {}

    def add(self, combination: dict[str, Any], afterwards: set[str]) -> None:
        is_new = self._covering.is_new(combination)
        here = self._open_stack(LINTED if is_new else "Other")
        stack = here.parts.stack
        self._count += 1
        name = f"Store{self._count}"
        try:
            store = ReplicationGroup(
                stack, name, network=here.parts.network, **self._given(here.parts, name, combination)
            )
        except ConfigurationError as error:
            # Refused stores are not part of the app.
            stack.node.try_remove_child(name)
            self.refused.update(problem.split(":")[0] for problem in error.problems)
            return
        self.accepted += 1
        here.stores += 1
        self._covering.add(combination)
        for what in sorted(afterwards):
            self._call(store, what)

    def _open_stack(self, kind: str) -> _OpenStack:
        found = self._open.get(kind)
        if found is None or found.stores == STORES_IN_A_STACK:
            environment = cdk.Environment(account="111122223333", region=REGION)
            stack = cdk.Stack(self.app, f"{kind}{len(self.app.node.children)}", env=environment)
            found = self._open[kind] = _OpenStack(Parts(stack))
        return found

    def _given(self, parts: Parts, name: str, combination: dict[str, Any]) -> dict[str, Any]:
        scope = cdk.Stack.of(parts.stack)
        made = dict(combination)
        if "kms_key" in made:
            made["kms_key"] = cdk.aws_kms.Key.from_key_arn(scope, f"{name}Key", made["kms_key"])
        if "notification_topic" in made:
            made["notification_topic"] = cdk.aws_sns.Topic.from_topic_arn(
                scope, f"{name}Topic", made["notification_topic"]
            )
        # The validation reports two stores with one name.
        if made.get("replication_group_id") == "orders":
            made["replication_group_id"] = f"orders-{self._count}"
        elif made.get("replication_group_id") == _LONGEST_NAME:
            made["replication_group_id"] = f"{self._count:a>40}"
        if "placement" in made:
            made["placement"] = [ShardPlacement(*zones) for zones in made["placement"]]
        return made

    def _call(self, store: ReplicationGroup, what: str) -> None:
        try:
            if what == "iam":
                store.add_iam_user("app", AccessString.read_write("app:*"))
            elif what == "password":
                store.add_password_user("legacy", AccessString.read_only("app:*"))
            elif what == "shards":
                store.scale_shards(minimum=1, maximum=10).track_memory(60).track_cpu(50)
            else:
                store.scale_replicas(minimum=1, maximum=5).track_cpu(50)
        except ConfigurationError as error:
            self.refused.update(problem.split(":")[0] for problem in error.problems)


def main() -> None:
    """Build and synthesize the app, and print the counts."""
    builder = _Builder(Path(sys.argv[1]))
    never = set(itertools.combinations(sorted(VALUES), 2))
    for combination, afterwards in _drawn(COMBINATIONS):
        builder.add(combination, afterwards)
        never -= set(itertools.combinations(sorted(combination), 2))
    builder.app.synth()
    print(json.dumps({"accepted": builder.accepted, "refused": builder.refused, "never": sorted(never)}))


if __name__ == "__main__":
    main()
