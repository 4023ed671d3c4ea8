"""Parameters of a MemoryDB cluster that AWS rejects: the library rejects them at synth."""

from __future__ import annotations

import math
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from cdk_redis import (
    Acl,
    ConfigurationError,
    Endpoint,
    Engine,
    IpDiscovery,
    MaintenanceWindow,
    MemoryDbCluster,
    MemoryDbParameterGroup,
    NetworkType,
    RedisNetwork,
    Snapshots,
    SnapshotWindow,
)
from cdk_redis._memorydb.parameter_names import known_parameters

WRONG = {
    "shards": ({"shards": 0}, "shards: got 0, but a store has 1 to 500 shards"),
    "replicas": ({"replicas": 6}, "replicas: got 6, but a shard has 0 to 5 replicas; add shards to spread the load"),
    "port": ({"port": 80}, "port: got 80, but the services listen on 1150 to 65535, 8005 excepted"),
    "node type of ElastiCache": (
        {"node_type": "cache.r7g.large"},
        "node_type: got 'cache.r7g.large', but node types of this service are named like 'db.r7g.large'",
    ),
    "name in upper case": (
        {"cluster_name": "Ledger"},
        "cluster_name: got 'Ledger', but a name has 1 to 40 lower-case letters, digits and single hyphens, "
        "begins with a letter and does not end with a hyphen",
    ),
    "name too long": (
        {"cluster_name": "l" * 41},
        f"cluster_name: got '{'l' * 41}', but a name has 1 to 40 lower-case letters, digits and single hyphens, "
        "begins with a letter and does not end with a hyphen",
    ),
    "plaintext with users": (
        {"unsafe_plaintext": True},
        "unsafe_plaintext: got True, but MemoryDB has no users without TLS: "
        "everyone can connect; set `unsafe_open_access` as well",
    ),
    "dual stack in IPv4 subnets": (
        {"network_type": NetworkType.DUAL_STACK},
        "network_type: got 'dual_stack', but the network's subnets have no IPv6 addresses; use RedisNetwork(..., "
        "dual_stack=True), or a `vpc` whose subnets have IPv6 addresses",
    ),
    "IPv6 in IPv4 subnets, as text": (
        {"network_type": "ipv6"},
        "network_type: got 'ipv6', but the network's subnets have no IPv6 addresses; use RedisNetwork(..., "
        "dual_stack=True), or a `vpc` whose subnets have IPv6 addresses",
    ),
    "a created key and a given one": (
        {"kms_key": "key", "create_kms_key": True},
        "create_kms_key: got True, but `kms_key` is given; leave out one of the two",
    ),
    "a misspelled parameter": (
        {"parameters": {"maxmemory-polcy": "noeviction"}},
        "parameters: got {'maxmemory-polcy': 'noeviction'}, but family memorydb_valkey7 has no such parameter; did you "
        "mean 'maxmemory-policy'? a parameter that is newer than this library goes into `extra_parameters`",
    ),
    "a parameter of ElastiCache only": (
        {"parameters": {"reserved-memory-percent": "25"}},
        "parameters: got {'reserved-memory-percent': '25'}, but family memorydb_valkey7 has no such parameter; "
        "a parameter that is newer than this library goes into `extra_parameters`",
    ),
    "cluster mode as a parameter": (
        {"parameters": {"cluster-enabled": "yes"}},
        "parameters: got {'cluster-enabled': 'yes'}, but cluster mode follows from `shards`; leave it out",
    ),
    "a policy that data tiering does not support": (
        {"node_type": "db.r6gd.xlarge", "parameters": {"maxmemory-policy": "allkeys-lfu"}},
        "parameters: got {'maxmemory-policy': 'allkeys-lfu'}, but nodes with data tiering support the policies "
        "noeviction, volatile-lru, allkeys-lru",
    ),
    "a parameter twice": (
        {"parameters": {"timeout": "20"}, "extra_parameters": {"timeout": "30"}},
        "extra_parameters: got {'timeout': '30'}, but `parameters` has it too; leave out one of the two",
    ),
    "discovery of addresses that the nodes do not have": (
        {"ip_discovery": IpDiscovery.IPV6},
        "ip_discovery: got 'ipv6', but the nodes have no such addresses with network_type ipv4; leave it out, or use "
        "NetworkType.DUAL_STACK",
    ),
    "windows that overlap": (
        {
            "maintenance_window": MaintenanceWindow("sun:03:00-sun:04:00"),
            "snapshots": Snapshots.daily(window=SnapshotWindow("03:30-04:30")),
        },
        "maintenance_window: got 'sun:03:00-sun:04:00', but it must not overlap the snapshot window 03:30-04:30; "
        "move one of the two",
    ),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG.keys())
def test_an_invalid_parameter_is_rejected(
    stack: cdk.Stack, network: RedisNetwork, given: dict[str, object], message: str
) -> None:
    if "kms_key" in given:
        given = {**given, "kms_key": kms.Key(stack, "Key")}
    with pytest.raises(ConfigurationError) as caught:
        MemoryDbCluster(stack, "Ledger", network=network, **given)  # type: ignore[arg-type]

    assert str(caught.value) == f"Stack/Ledger: {message}"


def test_an_acl_and_open_access_exclude_each_other(stack: cdk.Stack, network: RedisNetwork) -> None:
    acl = Acl.from_acl_name(stack, "Acl", "theirs")

    with pytest.raises(ConfigurationError) as caught:
        MemoryDbCluster(stack, "Ledger", network=network, acl=acl, unsafe_open_access=True)
    assert str(caught.value) == (
        "Stack/Ledger: acl: got 'theirs', but a cluster with open access has no users; leave out one of the two"
    )


def test_an_existing_parameter_group_excludes_parameters_and_must_have_the_family_of_the_engine(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    group = MemoryDbParameterGroup(stack, "Parameters", engine=Engine.redis("7.1"))

    with pytest.raises(ConfigurationError) as caught:
        MemoryDbCluster(stack, "Ledger", network=network, parameter_group=group, parameters={"timeout": "5"})
    assert str(caught.value) == (
        "Stack/Ledger: 2 problems\n"
        "  - parameters: got {'timeout': '5'}, but `parameter_group` is given; leave out one of the two\n"
        "  - parameter_group: got 'memorydb_redis7', but valkey 7.3 is of the family memorydb_valkey7"
    )


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        (
            "arn:aws:sns:eu-west-2:111122223333:events",
            "notification_topic: got 'a topic in eu-west-2', but the store is in eu-west-1; use a topic of that Region",
        ),
        (
            "arn:aws:sns:eu-west-1:444455556666:events",
            "notification_topic: got 'a topic in 444455556666', but the store is in 111122223333; "
            "use a topic of that account",
        ),
        (
            "arn:aws:sns:eu-west-1:111122223333:events.fifo",
            "notification_topic: got 'Stack/Topic', but stores do not publish to FIFO topics; use a standard topic",
        ),
    ],
)
def test_a_topic_that_memorydb_cannot_publish_to_is_rejected(
    stack: cdk.Stack, network: RedisNetwork, arn: str, message: str
) -> None:
    topic = sns.Topic.from_topic_arn(stack, "Topic", arn)

    with pytest.raises(ConfigurationError) as caught:
        MemoryDbCluster(stack, "Ledger", network=network, notification_topic=topic)
    assert str(caught.value) == f"Stack/Ledger: {message}"


def test_an_engine_that_memorydb_does_not_offer_is_rejected(stack: cdk.Stack, network: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError, match="MemoryDB offers"):
        MemoryDbCluster(stack, "Ledger", network=network, engine=Engine.valkey("8.1"))


NOT_VALUES = [True, b"7", ["7"], math.nan, "", "unknown engine", 7.5, Endpoint("example.com", 6379), object()]
VALUE_PARAMETERS = (
    "engine",
    "node_type",
    "snapshots",
    "restore",
    "maintenance_window",
    "network_type",
    "ip_discovery",
)


@pytest.mark.parametrize("network_type", ["dual_stack", NetworkType.IPV6])
def test_ipv6_is_rejected_in_an_existing_vpc_without_ipv6(stack: cdk.Stack, network_type: Any) -> None:
    network = RedisNetwork(stack, "Network", vpc=ec2.Vpc(stack, "Vpc", nat_gateways=0))

    with pytest.raises(ConfigurationError, match="the network's subnets have no IPv6 addresses"):
        MemoryDbCluster(stack, "Ledger", network=network, network_type=network_type)


@pytest.mark.parametrize("parameter", VALUE_PARAMETERS)
@pytest.mark.parametrize("given", NOT_VALUES, ids=[f"{type(given).__name__}-{n}" for n, given in enumerate(NOT_VALUES)])
def test_anything_but_a_value_or_its_text_is_rejected(
    stack: cdk.Stack, network: RedisNetwork, parameter: str, given: Any
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MemoryDbCluster(stack, "Ledger", network=network, **{parameter: given})
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [parameter]


@pytest.mark.parametrize("family", ["memorydb_redis6", "memorydb_redis7", "memorydb_valkey7"])
def test_each_family_has_its_parameters(family: str) -> None:
    known = known_parameters(family)

    assert known is not None
    assert {"maxmemory-policy", "activedefrag"} <= known
    assert ("hash-max-ziplist-value" in known) is (family == "memorydb_redis6")
    assert ("hash-max-listpack-value" in known) is (family != "memorydb_redis6")


def test_names_of_an_unknown_family_are_not_checked(stack: cdk.Stack, network: RedisNetwork) -> None:
    engine = Engine.of("valkey", "10.0", memorydb_family="memorydb_valkey10")
    ledger = MemoryDbCluster(stack, "Ledger", network=network, engine=engine, parameters={"newer": "yes"})

    assert ledger.parameters == {"newer": "yes"}
