"""Every value parameter of every public constructor accepts valid values, and rejects all others in the same way.

The parameters are read from the signatures of the public names, so that new ones are tested without a change here.
A parameter accepts its value, the value as text, and a token. Anything else ends in a `ConfigurationError`: never in a
Python error, a jsii error, or a template that AWS rejects.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_logs as logs
from constructs import Construct

import cdk_redis
from cdk_redis import (
    AccessString,
    Authentication,
    ConfigurationError,
    Durability,
    Endpoint,
    Engine,
    ExistingResource,
    GlobalDatastore,
    IpDiscovery,
    LogDelivery,
    LogFormat,
    MaintenanceWindow,
    NetworkType,
    NodeType,
    OnFailure,
    Preset,
    RedisNetwork,
    ReplicationGroup,
    Restore,
    ShardPlacement,
    Snapshots,
    SnapshotWindow,
    TransitEncryptionMode,
    UsageLimits,
)
from tests.unit.support.vpcs import existing_vpc

TEXT = cdk.Fn.ref("Given")
NUMBER = cdk.Token.as_number({"Ref": "Given"})

# Valid values for each type: the value, its text, a token. RIGHT has other values for some parameters.
SAMPLES: dict[str, list[object]] = {
    "AccessString": [AccessString.read_write("app:*"), "on ~app:* +@read", TEXT],
    "Authentication": [Authentication.iam(), "iam"],
    "Bounds": [(None, 10_000), (1_000, NUMBER)],
    "Durability": [Durability.SYNC, "sync"],
    "Endpoint": [Endpoint("cache.example.com", 6379), "cache.example.com:6379", TEXT],
    "Engine": [Engine.valkey("8.1"), "valkey:8.1", TEXT],
    "ExistingResource": [ExistingResource()],
    "IpDiscovery": [IpDiscovery.IPV4, "ipv4"],
    "LogDelivery": [[LogDelivery.slow_log()]],
    "LogFormat": [LogFormat.TEXT, "text"],
    "MaintenanceWindow": [MaintenanceWindow("sun:05:00-sun:06:00"), "sun:05:00-sun:06:00", TEXT],
    "Mapping": [{}, {"maxmemory-policy": "noeviction"}, {"maxmemory-policy": TEXT}],
    "NetworkType": [NetworkType.IPV4, "ipv4"],
    "NodeType": [NodeType("r7g.large"), "r7g.large", ec2.InstanceType("r7g.large"), TEXT],
    "OnFailure": [OnFailure.WARN, "warn"],
    "Preset": [Preset.prod()],
    "Restore": [Restore.from_snapshot("orders"), "orders", TEXT],
    "ShardPlacement": [[ShardPlacement("eu-west-1a", "eu-west-1b")]],
    "SnapshotWindow": [SnapshotWindow("03:00-04:00"), "03:00-04:00", TEXT],
    "Snapshots": [Snapshots.daily(), 7, "7", NUMBER, TEXT],
    "TransitEncryptionMode": [TransitEncryptionMode.PREFERRED, "preferred"],
    "UsageLimits": [UsageLimits.at_most(data_storage_gb=10)],
    "bool": [True, False],
    "cdk.Duration": [cdk.Duration.minutes(1)],
    "cdk.RemovalPolicy": [cdk.RemovalPolicy.RETAIN, "RETAIN"],
    "events.Schedule": [events.Schedule.rate(cdk.Duration.hours(1))],
    "float": [0.5, 90, NUMBER],
    "int": [1, NUMBER],
    "logs.RetentionDays": [logs.RetentionDays.ONE_MONTH],
    "str": ["orders", TEXT],
}

# Types of parameters that take constructs, which the type checker checks.
CONSTRUCTS = {
    *("Construct", "IAcl", "IConstruct", "IGlobalDatastore", "IMultiRegionCluster", "IParameterGroup", "ISubnetGroup"),
    *(
        "MemoryDbUser",
        "RedisNetwork",
        "ReplicationGroup",
        "FailoverDrill",
        "IStore",
        "SmokeTest",
        "Store",
        "User",
        "ec2.IInterfaceVpcEndpoint",
        "cloudwatch.IAlarm",
        "ec2.ISecurityGroup",
    ),
    *("ec2.IVpc", "ec2.SubnetSelection", "elasticache.CfnReplicationGroup", "firehose.IDeliveryStream", "kms.IKey"),
    *("IUserGroup", "iam.IRole", "logs.ILogGroup", "secretsmanager.ISecret", "sns.ITopic"),
}
# Types that occur together with the type of a value, whose samples are used.
CONTAINERS = {"None", "Sequence", "Iterable", "tuple", "object", "ec2.InstanceType"}

WRONG: dict[str, object] = {
    "None": None,
    "True": True,
    "bytes": b"valkey:8.1",
    "a list": ["valkey:8.1"],
    "a list of numbers": [5],
    "NaN": float("nan"),
    "empty text": "",
    "white space": " ",
    "a dictionary": {"name": 5},
    "an object": object(),
    "a negative number": -1,
    "a huge number": 10**9,
    "another value": Endpoint("cache.example.com", 6379),
    "a CDK value": cdk.Duration.days(1),
}

# Abstract classes, classes that only the library creates, and dictionaries.
NO_CONSTRUCTORS = {
    *(
        "assert_no_replacement",
        "ConfigurationError",
        "IStore",
        "MetricOptions",
        "PresetValues",
        "RedisChecks",
        "Store",
        "User",
        "acknowledge",
        "runtime_code",
    ),
}


def _network(scope: Construct) -> RedisNetwork:
    """One network for the whole stack, because creating one takes most of the time."""
    stack = cdk.Stack.of(scope)
    made: object = stack.node.try_find_child("Network")
    if isinstance(made, RedisNetwork):
        return made
    vpc = existing_vpc(stack, isolated_subnet_route_table_ids=["rtb-1", "rtb-2"])
    return RedisNetwork(stack, "Network", vpc=vpc)


def _group(scope: Construct, **given: Any) -> ReplicationGroup:
    return ReplicationGroup(scope, "Group", network=_network(scope), node_type="cache.r7g.large", **given)


def _secondary(scope: Construct) -> dict[str, Any]:
    primary = cdk.Stack(scope.node.root, f"Primary{scope.node.id}", env=cdk.Environment(region="us-east-1"))
    datastore = GlobalDatastore(primary, "Everywhere", primary=_group(primary))
    return {"network": _network(scope), "global_datastore": datastore}


# Required parameters of constructors.
REQUIRED: dict[str, Callable[[Construct], dict[str, Any]]] = {
    "AccessString": lambda _: {"rules": ("on",)},
    "AuthToken": lambda _: {"authentication": Authentication.auth_token()},
    "Authentication": lambda _: {"kind": "iam"},
    "ClientHost": lambda scope: {"network": _network(scope), "endpoints": False},
    "ElastiCacheParameterGroup": lambda _: {"engine": Engine.valkey("8.1"), "cluster_mode": True},
    "ElastiCacheSubnetGroup": lambda scope: {"network": _network(scope)},
    "ElastiCacheUser": lambda _: {
        "engine": Engine.valkey("8.1"),
        "access": AccessString.read_only("*"),
        "authentication": Authentication.iam(),
    },
    "ElastiCacheUserGroup": lambda _: {"engine": Engine.valkey("8.1")},
    "Endpoint": lambda _: {"address": "cache.example.com", "port": 6379},
    "Engine": lambda _: {"name": "valkey", "version": "8.1"},
    "FailoverDrill": lambda scope: {"target": _group(scope, shards=1)},
    "GlobalDatastore": lambda scope: {"primary": _group(scope, shards=1)},
    "LogDelivery": lambda _: {"log_type": "slow-log"},
    "MaintenanceWindow": lambda _: {"text": "sun:05:00-sun:06:00"},
    "MemoryDbCluster": lambda scope: {"network": _network(scope)},
    "MemoryDbParameterGroup": lambda _: {"engine": Engine.valkey("7.2")},
    "MemoryDbSubnetGroup": lambda scope: {"network": _network(scope)},
    "MemoryDbUser": lambda _: {"access": AccessString.read_only("*"), "authentication": Authentication.iam()},
    "NodeType": lambda _: {"name": "cache.r7g.large"},
    "ReplicaScaling": lambda scope: {"resource": _group(scope).resource, "minimum": 1, "maximum": 2},
    "ReplicationGroup": lambda scope: {"network": _network(scope)},
    "Restore": lambda _: {"snapshot_name": "orders"},
    "SecondaryReplicationGroup": _secondary,
    "ServerlessCache": lambda scope: {"network": _network(scope)},
    "RedisDashboard": lambda scope: {"stores": [_group(scope)]},
    "ShardPlacement": lambda _: {"primary": "eu-west-1a"},
    "ShardScaling": lambda scope: {"resource": _group(scope).resource, "minimum": 1, "maximum": 2},
    "SmokeTest": lambda scope: {"target": _group(scope)},
    "SnapshotWindow": lambda _: {"text": "03:00-04:00"},
    "Snapshots": lambda _: {"retention_days": 7},
    "Topology": lambda _: {"engine": Engine.valkey("8.1"), "cluster_mode": True, "shards": 1, "replicas": 1},
}

# Valid values of parameters for which the values of their type are invalid.
RIGHT: dict[str, list[object]] = {
    "AccessString.rules": [("on", "~*", "+@read"), ("on", TEXT)],
    "AuthToken.authentication": [Authentication.auth_token(), "auth-token"],
    "Authentication.generation": [1, 2],
    "Authentication.kind": ["iam", "password"],
    "Authentication.version_id": [None],
    "ClientHost.endpoints": [True, False],
    "ClientHost.instance_type": ["t4g.micro", "m7gd.large", TEXT],
    "Endpoint.port": [6379, NUMBER],
    "Engine.name": ["valkey", "redis", TEXT],
    "Engine.version": ["8.1", TEXT],
    "ExistingResource.logical_id": ["Cache"],
    "ExistingResource.properties": [{}, {"Port": 6379}],
    "GlobalDatastore.engine": [Engine.valkey("8.1"), "valkey:8.1"],
    "GlobalDatastore.node_type": [NodeType("r7g.large"), "cache.r7g.large", TEXT],
    "LogDelivery.log_type": ["slow-log", "engine-log"],
    "MaintenanceWindow.text": ["sun:05:00-sun:06:00", TEXT],
    "MemoryDbCluster.engine": [Engine.valkey("7.3"), "valkey:7.3", TEXT],
    "MemoryDbParameterGroup.engine": [Engine.valkey("7.2"), "valkey:7.2"],
    "ElastiCacheParameterGroup.engine": [Engine.valkey("8.1"), "valkey:8.1"],
    "MultiRegionCluster.engine": [Engine.valkey("7.3"), "valkey:7.3", TEXT],
    "MultiRegionCluster.node_type": [NodeType("r7g.xlarge"), "db.r7g.xlarge", TEXT],
    "MultiRegionCluster.update_strategy": ["COORDINATED", TEXT],
    "NodeType.name": ["cache.r7g.large", TEXT],
    "RedisNetwork.cidr": ["10.1.0.0/16"],
    "RedisNetwork.zones": [2],
    "RedisNetwork.zone_ids": [["euw1-az1", "euw1-az2"]],
    "ReplicationGroup.authentication": [Authentication.auth_token(), "auth-token"],
    # Its parameter group needs the family of the engine, which a token does not show.
    "ReplicationGroup.engine": [Engine.valkey("8.1"), "valkey:8.1"],
    "ReplicationGroup.shards": [3, NUMBER, None],
    "Restore.object_arns": [("arn:aws:s3:::backups/orders.rdb",)],
    "ServerlessCache.engine": [Engine.valkey("8"), TEXT],
    "ServerlessCache.restore": [Restore.from_s3("arn:aws:s3:::backups/orders.rdb"), TEXT],
    "FailoverDrill.key_prefix": ["drill:"],
    "FailoverDrill.shard": ["0001", TEXT],
    "SmokeTest.key_prefix": ["smoke:"],
    "Snapshots.at": ["03:00", TEXT],
    "Snapshots.window": [SnapshotWindow("03:00-04:00")],
    "SnapshotWindow.text": ["03:00-04:00", TEXT],
    "UsageLimits.data_storage_gb": [(None, 10), (1, NUMBER)],
    "MemoryDbCluster.port": [6380, NUMBER],
    "ReplicationGroup.port": [6380, NUMBER],
    "SecondaryReplicationGroup.port": [6380, NUMBER],
    "ReplicaScaling.minimum": [1],
    "ReplicaScaling.maximum": [2],
}

# Other parameters that a valid value of a parameter needs.
WITH: dict[str, dict[str, object]] = {
    "GlobalDatastore.extra_parameters": {"engine": Engine.valkey("8.1")},
    "GlobalDatastore.parameters": {"engine": Engine.valkey("8.1")},
    "ReplicationGroup.durability": {"engine": Engine.valkey("9.0"), "node_type": "cache.r7g.large", "shards": 1},
    "Restore.object_arns": {"snapshot_name": None},
    "MemoryDbCluster.adopt": {"cluster_name": "orders-adopted"},
    "ReplicationGroup.unsafe_unencrypted_at_rest": {"adopt": ExistingResource()},
    "ServerlessCache.adopt": {"serverless_cache_name": "orders-adopted"},
    "MemoryDbCluster.unsafe_plaintext": {"unsafe_open_access": True},
    "ReplicationGroup.unsafe_plaintext": {"unsafe_open_access": True},
    "SmokeTest.alarm_period": {"schedule": events.Schedule.rate(cdk.Duration.hours(1))},
}


def _types(parameter: inspect.Parameter) -> set[str]:
    return set(re.findall(r"[A-Za-z_][\w.]*", str(parameter.annotation)))


def _public_classes() -> Iterator[tuple[str, type[Any]]]:
    for name in cdk_redis.__all__:
        public = getattr(cdk_redis, name)
        if not (name in NO_CONSTRUCTORS or issubclass(public, Enum) or getattr(public, "_is_protocol", False)):
            yield name, public


def _parameters(public: type[Any]) -> Iterator[inspect.Parameter]:
    for parameter in inspect.signature(public.__init__).parameters.values():
        if parameter.name not in ("self", "scope", "id") and not parameter.name.startswith("_"):
            yield parameter


def _is_value(parameter: inspect.Parameter) -> bool:
    return bool(_types(parameter) & SAMPLES.keys()) and parameter.kind is not parameter.VAR_POSITIONAL


VALUE_PARAMETERS = [
    pytest.param(public, parameter, id=f"{name}.{parameter.name}")
    for name, public in _public_classes()
    for parameter in _parameters(public)
    if _is_value(parameter)
]


class _Trial:
    """Creates instances of a public class in one stack, each with another value of one parameter."""

    def __init__(self, public: type[Any], parameter: str) -> None:
        self.app = cdk.App()
        self._stack = cdk.Stack(self.app, "Stack", env=cdk.Environment(region="eu-west-1"))
        self._public = public
        self._parameter = parameter
        self._count = 0

    def outcome(self, given: object) -> str:
        """``accepted``, ``refused`` for a `ConfigurationError`, or the error."""
        name = f"{self._public.__name__}.{self._parameter}"
        self._count += 1
        scope = Construct(self._stack, f"Try{self._count}")
        required = REQUIRED.get(self._public.__name__, lambda _: {})(scope)
        arguments = {**required, **WITH.get(name, {}), self._parameter: given}
        is_construct = "scope" in inspect.signature(self._public.__init__).parameters
        try:
            self._public(*([scope, "It"] if is_construct else []), **arguments)
        except Exception as error:  # the test fails for any error but ConfigurationError
            self._stack.node.try_remove_child(scope.node.id)
            self.app.node.try_remove_child(f"Primary{scope.node.id}")
            is_refused = isinstance(error, ConfigurationError)
            return f"refused: {error}" if is_refused else f"{type(error).__name__}: {str(error)[:200]}"
        return "accepted"


def _may_be_accepted(given: object, types: set[str]) -> bool:
    """Whether the value is of the parameter's type, so that the library may accept or reject it."""
    return (
        (given is None and "None" in types)
        or (isinstance(given, bool) and "bool" in types)
        or (isinstance(given, str) and "str" in types and given != "")
        or (type(given) is int and not types.isdisjoint({"int", "float"}))
        or (isinstance(given, cdk.Duration) and "cdk.Duration" in types)
        or (isinstance(given, Endpoint) and "Endpoint" in types)
        or (given == ["valkey:8.1"] and "Sequence" in types and "str" in types)
    )


@pytest.mark.parametrize("public", [public for _, public in _public_classes()], ids=lambda public: public.__name__)
def test_the_type_of_every_parameter_has_samples(public: type[Any]) -> None:
    known = SAMPLES.keys() | CONSTRUCTS | CONTAINERS

    for parameter in _parameters(public):
        assert _types(parameter) <= known, f"add the type of {public.__name__}({parameter.name}=...) to SAMPLES"


@pytest.mark.parametrize(("public", "parameter"), VALUE_PARAMETERS)
def test_a_value_parameter_accepts_valid_values_and_rejects_all_others(
    public: type[Any], parameter: inspect.Parameter
) -> None:
    name = f"{public.__name__}.{parameter.name}"
    types = _types(parameter)
    right = RIGHT.get(name) or next(SAMPLES[kind] for kind in SAMPLES if kind in types)
    trial = _Trial(public, parameter.name)

    found = [f"{given!r} is valid: {outcome}" for given in right if (outcome := trial.outcome(given)) != "accepted"]
    for label, given in WRONG.items():
        outcome = trial.outcome(given)
        if not outcome.startswith("refused") and not (outcome == "accepted" and _may_be_accepted(given, types)):
            found.append(f"{label} is invalid: {outcome}")
    try:
        trial.app.synth()
    except Exception as error:
        found.append(f"synth: {type(error).__name__}: {str(error)[:200]}")

    assert not found, "\n".join([name, *found])
