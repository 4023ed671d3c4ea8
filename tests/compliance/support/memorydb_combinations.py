"""An app of MemoryDB clusters with random parameters, in a few stacks.

It is a separate program, because the validation of aws-cdk-lib is off in the process of the tests. Prints how many
combinations were tried, how many of them the library accepted, and which pairs of parameters were never drawn together.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cdk_redis import (
    AccessString,
    Acl,
    ConfigurationError,
    Engine,
    IpDiscovery,
    MaintenanceWindow,
    MemoryDbCluster,
    MemoryDbParameterGroup,
    MemoryDbSubnetGroup,
    MultiRegionCluster,
    NetworkType,
    RedisNetwork,
    Restore,
    Snapshots,
    SnapshotWindow,
)
from tests.compliance.support.covering import Covering

# With this number, every pair of parameters is drawn together at least four times, 27 times on average.
COMBINATIONS = 800
# CloudFormation accepts 500 resources in a template.
_CLUSTERS_IN_A_STACK = 90
# Names of the stacks that cfn-lint reads begin with this, see `Covering`.
LINTED = "Linted"

ENGINES = [Engine.valkey("7.3"), Engine.valkey("7.2"), Engine.redis("7.1"), Engine.redis("6.2"), Engine.valkey("8.1")]
NODE_TYPES = ["db.t4g.small", "db.r7g.xlarge", "db.r6gd.xlarge", "cache.r7g.large", "large"]
WINDOWS = [None, MaintenanceWindow("sun:05:00-sun:06:00"), MaintenanceWindow("mon:03:30-mon:04:30")]
SNAPSHOTS = [None, Snapshots.off(), Snapshots.daily(35), Snapshots.daily(window=SnapshotWindow("03:00-04:00"))]
RESTORES = [None, Restore.from_snapshot("before"), Restore.from_s3("arn:aws:s3:::backups/a.rdb", "arn:aws:s3:::b3b/b")]


@dataclass(frozen=True)
class Shared:
    """An argument that is an attribute of `Resources`, by its name."""

    name: str


class Resources:
    """A stack, and the resources that its clusters share."""

    def __init__(self, app: cdk.App, kind: str) -> None:
        env = cdk.Environment(account="111122223333", region="us-east-1")
        self.clusters = 0
        self.stack = cdk.Stack(app, f"{kind}{len(app.node.children)}", env=env)
        vpc = ec2.Vpc.from_vpc_attributes(
            self.stack,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["us-east-1a", "us-east-1b"],
            isolated_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        )
        self.network = RedisNetwork(self.stack, "Network", vpc=vpc)
        self.own = RedisNetwork(self.stack, "Own", zones=2)
        self.subnets = MemoryDbSubnetGroup(self.stack, "Subnets", network=self.network)
        self.group = self.network.create_store_security_group(self.stack, "SecurityGroup", port=6379)
        self.key = kms.Key(self.stack, "Key")
        self.topic = sns.Topic(self.stack, "Topic", enforce_ssl=True)
        self.fifo = sns.Topic(self.stack, "Fifo", fifo=True, enforce_ssl=True)
        self.acl = Acl(self.stack, "Acl")
        self.parameters = MemoryDbParameterGroup(self.stack, "Parameters", engine=Engine.valkey("7.3"))
        self.everywhere = MultiRegionCluster(self.stack, "Everywhere", shards=3)


# Valid and invalid values.
PARAMETERS: dict[str, st.SearchStrategy[Any]] = {
    "engine": st.sampled_from(ENGINES),
    "node_type": st.sampled_from(NODE_TYPES),
    "shards": st.integers(-1, 501),
    "replicas": st.integers(-1, 6),
    "port": st.sampled_from([80, 1150, 6379, 8005, 65535, 65536]),
    "kms_key": st.just(Shared("key")),
    "parameters": st.sampled_from([{}, {"activedefrag": "yes"}, {"timeout": 5}, {"cluster-enabled": "yes"}]),
    "parameter_group": st.just(Shared("parameters")),
    "acl": st.just(Shared("acl")),
    "snapshots": st.sampled_from(SNAPSHOTS),
    "restore": st.sampled_from(RESTORES),
    "maintenance_window": st.sampled_from(WINDOWS),
    "notification_topic": st.sampled_from([Shared("topic"), Shared("topic"), Shared("fifo")]),
    "auto_minor_version_upgrade": st.booleans(),
    "network_type": st.sampled_from(list(NetworkType)),
    "ip_discovery": st.sampled_from([None, *IpDiscovery]),
    "multi_region": st.sampled_from([None, None, Shared("everywhere")]),
    "cluster_name": st.sampled_from(["Ledger", "a" * 41, "a--b", ""]),
    "description": st.text("abc -", min_size=1, max_size=20),
    "removal_policy": st.sampled_from(list(cdk.RemovalPolicy)[:3]),
    "unsafe_open_access": st.booleans(),
    "unsafe_plaintext": st.booleans(),
}


def combinations() -> st.SearchStrategy[dict[str, Any]]:
    """A few parameters at a time: with all of them at once, hardly any combination would be accepted."""
    some = st.sets(st.sampled_from(sorted(PARAMETERS)), max_size=6)
    return some.flatmap(lambda names: st.fixed_dictionaries({name: PARAMETERS[name] for name in sorted(names)}))


def main() -> None:
    """Try the combinations, and write the templates of those that are accepted."""
    app = cdk.App()
    never = set(itertools.combinations(sorted(PARAMETERS), 2))
    # The stacks that are open for more clusters: those that cfn-lint reads, and the others.
    open_stacks: dict[str, Resources] = {}
    covering = Covering()
    tried: list[bool] = []

    @settings(
        max_examples=COMBINATIONS,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(combinations(), st.booleans())
    def try_one(given: dict[str, Any], with_user: bool) -> None:
        nonlocal never
        never -= set(itertools.combinations(sorted(given), 2))
        number = len(tried)
        kind = LINTED if covering.is_new(given) else "Other"
        resources = open_stacks.get(kind)
        if resources is None or resources.clusters == _CLUSTERS_IN_A_STACK:
            resources = open_stacks[kind] = Resources(app, kind)
        parameters = {
            name: getattr(resources, value.name) if isinstance(value, Shared) else value
            for name, value in given.items()
        }
        # Most clusters share subnets and a security group, so that the stacks stay small.
        shared = {"subnet_group": resources.subnets, "security_groups": [resources.group]} if number % 10 else {}
        try:
            cluster = MemoryDbCluster(
                resources.stack,
                f"Cluster{number}",
                network=resources.network if number % 20 else resources.own,
                **shared,
                **parameters,
            )
            if with_user:
                cluster.add_iam_user("app", AccessString.read_only("*"))
        except ConfigurationError:
            tried.append(False)
        else:
            covering.add(given)
            resources.clusters += 1
            tried.append(True)

    try_one()
    app.synth()
    print(json.dumps({"tried": len(tried), "accepted": sum(tried), "never": sorted(never)}))


if __name__ == "__main__":
    main()
