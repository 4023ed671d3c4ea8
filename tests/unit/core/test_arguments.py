"""Arguments are checked against the annotations of public functions, so that no wrong type reaches jsii."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

import cdk_redis
from cdk_redis import (
    AccessString,
    ConfigurationError,
    ElastiCacheSubnetGroup,
    Engine,
    LogDelivery,
    MemoryDbCluster,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
)

# Raised by the library only.
INTERNAL = {"ConfigurationError"}
# Takes templates of any origin; is called by the CDK.
CHECKS_ITSELF = {"assert_no_replacement", "RedisChecks"}


def _is_value(base: type) -> bool:
    # Values check what they hold, see tests/unit/test_value_parameters.py.
    return dataclasses.is_dataclass(base) or issubclass(base, Enum) or "_values" in base.__module__


def _public_functions() -> Iterator[tuple[str, Callable[..., object]]]:
    """Functions, constructors, methods and class methods that are public, with those inherited from the library."""
    for name in cdk_redis.__all__:
        public: Any = getattr(cdk_redis, name)
        if name in INTERNAL | CHECKS_ITSELF or getattr(public, "_is_protocol", False):
            continue
        if inspect.isfunction(public):
            yield name, public
            continue
        for base in public.__mro__:
            if not base.__module__.startswith("cdk_redis") or _is_value(base):
                continue
            for attribute, member in vars(base).items():
                function = getattr(member, "__func__", member)
                is_public = attribute == "__init__" or not attribute.startswith("_")
                if inspect.isfunction(function) and is_public:
                    yield f"{base.__name__}.{attribute}", function


def _parameters(function: Callable[..., object]) -> list[inspect.Parameter]:
    # Options of metrics are passed on to `metric`, which checks them.
    is_of_class = "." in function.__qualname__
    return [one for one in list(inspect.signature(function).parameters.values())[is_of_class:] if one.name != "options"]


PUBLIC_FUNCTIONS = {name: function for name, function in _public_functions() if _parameters(function)}
PUBLIC_PARAMETERS = [
    pytest.param(function, parameter, id=f"{name}.{parameter.name}")
    for name, function in PUBLIC_FUNCTIONS.items()
    for parameter in _parameters(function)
]


@pytest.mark.parametrize("name", PUBLIC_FUNCTIONS)
def test_every_public_function_checks_its_arguments(name: str) -> None:
    assert hasattr(PUBLIC_FUNCTIONS[name], "__wrapped__"), f"decorate {name} with @checked_arguments"


# What a message says for each annotation without None; None where the function itself checks the argument.
EXPECTED: dict[str, str | None] = {
    "AccessString | str": "takes AccessString or text such as 'on ~app:* +@read'",
    "Authentication | str": "takes Authentication or text such as 'iam'",
    "Callable[[str, str], str]": None,
    "Construct": "takes Construct",
    "Durability | str": "takes Durability or one of 'sync', 'async', 'disabled'",
    "ExistingResource": "takes ExistingResource",
    "Endpoint": "takes Endpoint or text such as 'cache.example.com:6379'",
    "Engine": "takes Engine or text such as 'valkey:8.1'",
    "Engine | str": "takes Engine or text such as 'valkey:8.1'",
    "IAcl": "takes IAcl",
    "Preset": "takes Preset",
    "IGlobalDatastore": "takes IGlobalDatastore",
    "IMultiRegionCluster": "takes IMultiRegionCluster",
    "IParameterGroup": "takes IParameterGroup",
    "IStore": "takes IStore",
    "ISubnetGroup": "takes ISubnetGroup",
    "IUserGroup": "takes IUserGroup",
    "IpDiscovery | str": "takes IpDiscovery or one of 'ipv4', 'ipv6'",
    "MaintenanceWindow | str": "takes MaintenanceWindow or text such as 'sun:05:00-sun:06:00'",
    "Mapping[str, AlarmOverride | float | bool]": "takes a mapping such as a dict",
    "Mapping[str, str]": "takes a mapping such as a dict",
    "NetworkType | str": "takes NetworkType or one of 'ipv4', 'dual_stack', 'ipv6'",
    "NodeType | ec2.InstanceType | str": "takes NodeType, ec2.InstanceType or text such as 'cache.r7g.large'",
    "OnFailure | str": "takes OnFailure or one of 'fail', 'warn'",
    "Path | str": "takes Path or text such as 'functions/orders'",
    "RedisNetwork": "takes RedisNetwork",
    "ReplicationGroup": "takes ReplicationGroup",
    "Restore | str": "takes Restore or text such as 'arn:aws:s3:::bucket/file.rdb'",
    "Sequence[FailoverDrill]": "takes a list of FailoverDrill",
    "Sequence[IStore]": "takes a list of IStore",
    "Sequence[LogDelivery]": "takes a list of LogDelivery",
    "Sequence[ShardPlacement]": "takes a list of ShardPlacement",
    "Sequence[SmokeTest]": "takes a list of SmokeTest",
    "Sequence[User]": "takes a list of User",
    "Sequence[cloudwatch.IAlarm]": "takes a list of cloudwatch.IAlarm",
    "Sequence[ec2.ISecurityGroup]": "takes a list of ec2.ISecurityGroup",
    "Sequence[object]": "takes a list",
    "Sequence[str]": "takes a list of text",
    "Snapshots | str | int": "takes Snapshots, text such as '7' or a whole number",
    "TransitEncryptionMode | str": "takes TransitEncryptionMode or one of 'preferred', 'required'",
    "UsageLimits": "takes UsageLimits",
    "User": "takes User",
    "bool": "must be True or False",
    "bool | ec2.IInterfaceVpcEndpoint": "takes ec2.IInterfaceVpcEndpoint, True or False",
    "cdk.Duration": "takes cdk.Duration",
    "cdk.Stack": "takes cdk.Stack",
    "cdk.RemovalPolicy | str": "takes cdk.RemovalPolicy or its name",
    "cloudwatch.Unit": "takes cloudwatch.Unit",
    "ec2.IVpc": "takes ec2.IVpc",
    "ec2.SubnetSelection": "takes ec2.SubnetSelection",
    "elasticache.CfnReplicationGroup": "takes elasticache.CfnReplicationGroup",
    "events.Schedule": "takes events.Schedule",
    "iam.IGrantable": "takes iam.IGrantable",
    "iam.IRole": "takes iam.IRole",
    "int": "must be a whole number",
    "kms.IKey": "takes kms.IKey",
    "iam.IGrantable | ecs.BaseService": "takes iam.IGrantable or ecs.BaseService",
    "iam.IGrantable | ecs.BaseService | ecs.TaskDefinition": (
        "takes iam.IGrantable, ecs.BaseService or ecs.TaskDefinition"
    ),
    "lambda_.Function | lambda_.IFunction | ecs.BaseService | ecs.TaskDefinition | ecs.ContainerDefinition | "
    "ec2.Instance | autoscaling.AutoScalingGroup | iam.IGrantable | Construct": (
        "takes lambda_.Function, lambda_.IFunction, ecs.BaseService, ecs.TaskDefinition, ecs.ContainerDefinition, "
        "ec2.Instance, autoscaling.AutoScalingGroup, iam.IGrantable or Construct"
    ),
    "lambda_.IFunction": "takes lambda_.IFunction",
    "logs.ILogGroup": "takes logs.ILogGroup",
    "logs.RetentionDays": "takes logs.RetentionDays",
    "secretsmanager.ISecret": "takes secretsmanager.ISecret",
    "sns.ITopic": "takes sns.ITopic",
    "str": "must be text with at least one character",
}


@pytest.mark.parametrize(("function", "parameter"), PUBLIC_PARAMETERS)
def test_every_parameter_refuses_an_object_with_what_it_takes(
    function: Callable[..., object], parameter: inspect.Parameter
) -> None:
    expected = EXPECTED[parameter.annotation.replace(" | None", "")]
    if expected is None:
        return

    with pytest.raises(ConfigurationError) as caught:
        function(*([object()] if "." in function.__qualname__ else []), **{parameter.name: object()})

    assert f"{parameter.name}: got a value of type object, but it {expected}" in caught.value.problems


def _topic(stack: cdk.Stack) -> sns.Topic:
    return sns.Topic(stack, "Topic")


def _key(stack: cdk.Stack) -> kms.IKey:
    return kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:111122223333:key/1")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "text for a flag": (
        {"unsafe_plaintext": "false"},
        "unsafe_plaintext: got 'false', but it must be True or False; write False",
    ),
    "a number for a flag": ({"create_kms_key": 1}, "create_kms_key: got 1, but it must be True or False"),
    "text for a number": ({"replicas": "1"}, "replicas: got '1', but it must be a whole number; write 1"),
    "a fraction for a number": ({"replicas": 1.5}, "replicas: got 1.5, but it must be a whole number"),
    "a float for a number": ({"replicas": 1.0}, "replicas: got 1.0, but it must be a whole number; write 1"),
    "a flag for a number": ({"replicas": True}, "replicas: got True, but it must be a whole number"),
    "no number": ({"shards": float("nan")}, "shards: got nan, but it must be a whole number"),
    "None for what has a default": ({"replicas": None}, "replicas: got None, but it must be a whole number"),
    "an alias for a key": (
        {"kms_key": "alias/orders"},
        "kms_key: got 'alias/orders', but it takes kms.IKey; import it with kms.Key.from_key_arn",
    ),
    "an ARN for a topic": (
        {"notification_topic": "arn:aws:sns:eu-west-1:111122223333:orders"},
        "notification_topic: got 'arn:aws:sns:eu-west-1:111122223333:orders', but it takes sns.ITopic; "
        "import it with sns.Topic.from_topic_arn",
    ),
    "another construct for a key": ({"kms_key": _topic}, "kms_key: got a value of type Topic, but it takes kms.IKey"),
    "an import for a topic": (
        {"notification_topic": _key},
        "notification_topic: got a value of type InterfaceDynamicProxy, but it takes sns.ITopic",
    ),
    "one value for a list": (
        {"log_delivery": LogDelivery.slow_log()},
        "log_delivery: got a value of type LogDelivery, but it takes a list of LogDelivery; put it in a list",
    ),
    "a wrong item in a list": (
        {"log_delivery": [LogDelivery.slow_log(), "engine-log"]},
        "log_delivery[1]: got text, but it takes LogDelivery",
    ),
    "a list for a mapping": (
        {"parameters": ["timeout"]},
        "parameters: got a value of type list, but it takes a mapping such as a dict",
    ),
    "a number in a mapping": (
        {"parameters": {"timeout": 20}},
        "parameters['timeout']: got 20, but it must be text; write '20'",
    ),
    "a key of a mapping": ({"parameters": {5: "20"}}, "parameters: got a key that is 5, but its keys must be text"),
    "empty text": ({"description": " "}, "description: got ' ', but it must be text with at least one character"),
    "text that is not Unicode": (
        {"description": "orders \ud800"},
        "description: got text, but it must be text with at least one character; it is not valid Unicode",
    ),
    "another value": (
        {"engine": AccessString.read_only("*")},
        "engine: got a value of type AccessString, but it takes Engine or text such as 'valkey:8.1'",
    ),
    "an interface of the library": (
        {"subnet_group": "subnets"},
        "subnet_group: got text, but it takes ISubnetGroup; import it with from_subnet_group_name",
    ),
    "an unknown parameter": (
        {"replica": 1},
        "replica: ReplicationGroup has no such parameter; did you mean 'replicas'?",
    ),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_type_is_refused_with_what_it_takes(
    stack: cdk.Stack, network: RedisNetwork, given: dict[str, Any], message: str
) -> None:
    arguments = {name: value(stack) if inspect.isfunction(value) else value for name, value in given.items()}

    with pytest.raises(ConfigurationError) as caught:
        ReplicationGroup(stack, "Cache", network=network, **arguments)

    assert str(caught.value) == f"Stack/Cache: {message}"


def test_a_parameter_of_another_store_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ServerlessCache(stack, "Cache", network=network, node_type="cache.r7g.large")  # type: ignore[call-arg]

    assert str(caught.value) == "Stack/Cache: node_type: ServerlessCache has no such parameter"


def test_a_missing_parameter_is_named(stack: cdk.Stack) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ElastiCacheSubnetGroup(stack, "Subnets")  # type: ignore[call-arg]

    assert str(caught.value) == "Stack/Subnets: network: it is required"


def test_values_without_names_are_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MemoryDbCluster(stack, "Cluster", network)  # type: ignore[misc]

    assert str(caught.value) == "Stack/Cluster: arguments: got 3 without a name, but only scope, id can be"


@pytest.mark.parametrize(("scope", "id"), [(None, "Cache"), ("Stack", "Cache"), (object(), "Cache"), ("stack", 5)])
def test_a_wrong_scope_or_id_is_refused(stack: cdk.Stack, scope: Any, id: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^ServerlessCache: "):
        ServerlessCache(stack if scope == "stack" else scope, id)


def test_an_id_that_is_a_token_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError, match="id: got a token, but an id is written out"):
        ServerlessCache(stack, cdk.Aws.REGION, network=network)


def test_an_id_that_is_taken_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ServerlessCache(stack, "Cache", network=network)

    with pytest.raises(ConfigurationError) as caught:
        ReplicationGroup(stack, "Cache", network=network)

    message = "id: got 'Cache', but this scope has a construct with that id; choose another id"
    assert str(caught.value) == f"Stack/Cache: {message}"
    assert stack.node.find_child("Cache") is cache


def test_an_argument_that_is_given_twice_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ServerlessCache(stack, "Cache", network=network, id="Other")  # type: ignore[misc]

    assert "id: it is given twice, with and without its name" in caught.value.problems


class Group:
    """A parameter group of a user's own, without naming our interface."""

    parameter_group_name = "mine"


def test_a_class_of_the_user_is_accepted_for_an_interface(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, parameter_group=Group())

    assert cache.parameter_group.parameter_group_name == "mine"


def test_what_the_cdk_imports_is_accepted_for_an_interface(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, kms_key=_key(stack))
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/app")

    cache.grant_connect(role, user=cache.add_iam_user("app", "on ~app:* +@read"))


def _tree(scope: Construct) -> list[str]:
    return [child.node.path for child in scope.node.find_all()]


REFUSED: dict[str, Callable[[ReplicationGroup, cdk.Stack], object]] = {
    "a store": lambda cache, stack: ReplicationGroup(stack, "Again", network=cache.network, replicas=7),
    "an import": lambda _, stack: ReplicationGroup.from_replication_group_attributes(
        stack, "Again", replication_group_id="orders", endpoint="orders:6379", security_groups=[], shards=0
    ),
    "a user": lambda cache, _: cache.add_iam_user("Not a name", "on ~* +@read"),
    "a user with wrong access": lambda cache, _: cache.add_iam_user("app", "on ~* +@nonsense"),
    "scaling": lambda cache, _: cache.scale_shards(minimum=3, maximum=2),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_leaves_nothing_in_the_tree(
    stack: cdk.Stack, network: RedisNetwork, refused: Callable[[ReplicationGroup, cdk.Stack], object]
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, engine=Engine.valkey("8.1"), shards=2)
    before = _tree(stack)

    for _ in range(2):
        with pytest.raises(ConfigurationError) as caught:
            refused(cache, stack)

        assert "There is already" not in str(caught.value)
        assert _tree(stack) == before


def test_the_id_of_a_refused_store_can_be_used_again(stack: cdk.Stack, network: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError):
        ReplicationGroup(stack, "Cache", network=network, replicas=7)

    assert ReplicationGroup(stack, "Cache", network=network, replicas=1).node.path == "Stack/Cache"
