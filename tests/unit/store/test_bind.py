"""`bind` gives a function the security-group rules, the permission to sign in, and the environment variables."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import (
    AccessString,
    ConfigurationError,
    Engine,
    MemoryDbCluster,
    RedisNetwork,
    ReplicationGroup,
    SmokeTest,
)
from cdk_redis_runtime._client import environment
from cdk_redis_runtime._client.settings import Connection

ACCESS = AccessString.read_write("app:*")


@pytest.fixture
def function(stack: cdk.Stack, network: RedisNetwork) -> lambda_.Function:
    return _function(stack, network)


def _function(stack: cdk.Stack, network: RedisNetwork) -> lambda_.Function:
    return lambda_.Function(
        stack,
        "App",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="app.handler",
        code=lambda_.Code.from_inline("#"),
        vpc=network.vpc,
        vpc_subnets=network.subnet_selection,
    )


def _variables(stack: cdk.Stack, handler: str = "app.handler") -> dict[str, object]:
    found = Template.from_stack(stack).find_resources("AWS::Lambda::Function", {"Properties": {"Handler": handler}})
    (resource,) = found.values()
    return resource["Properties"]["Environment"]["Variables"]


def test_a_bound_function_has_the_permission_the_rules_and_the_environment(
    stack: cdk.Stack, network: RedisNetwork, function: lambda_.Function
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    user = cache.add_iam_user("app", ACCESS)
    cache.bind(function, user=user)

    template = Template.from_stack(stack)
    assert _variables(stack) == {
        environment.SERVICE: "elasticache",
        environment.STORE: {"Ref": "Cache18F6EE16"},
        environment.HOST: {"Fn::GetAtt": ["Cache18F6EE16", "PrimaryEndPoint.Address"]},
        environment.PORT: {"Fn::GetAtt": ["Cache18F6EE16", "PrimaryEndPoint.Port"]},
        environment.READER_HOST: {"Fn::GetAtt": ["Cache18F6EE16", "ReaderEndPoint.Address"]},
        environment.READER_PORT: {"Fn::GetAtt": ["Cache18F6EE16", "ReaderEndPoint.Port"]},
        environment.TLS: "true",
        environment.CLUSTER_MODE: "false",
        environment.AUTHENTICATION: "iam",
        environment.USER: user.user_name,
    }
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {"PolicyDocument": {"Statement": [Match.object_like({"Action": "elasticache:Connect"})]}},
    )
    template.has_resource_properties("AWS::EC2::SecurityGroupIngress", {"Description": "to Stack/Cache"})


def test_binding_a_function_with_open_egress_gives_no_warning(
    stack: cdk.Stack, network: RedisNetwork, function: lambda_.Function
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    closed = ec2.SecurityGroup(stack, "Closed", vpc=network.vpc, allow_all_outbound=False)
    function.connections.add_security_group(closed)
    cache.bind(function, user=cache.add_iam_user("app", ACCESS))

    # The CDK's default security group allows all outbound traffic, so it needs no egress rule.
    assert Annotations.from_stack(stack).find_warning("*", Match.any_value()) == []
    template = Template.from_stack(stack)
    store = stack.resolve(cache.security_groups[0].security_group_id)
    default, other = (stack.resolve(group.security_group_id) for group in function.connections.security_groups)
    ingress = template.find_resources("AWS::EC2::SecurityGroupIngress", {"Properties": {"GroupId": store}}).values()
    sources = [rule["Properties"]["SourceSecurityGroupId"] for rule in ingress]
    assert default in sources
    assert other in sources
    egress = template.find_resources("AWS::EC2::SecurityGroupEgress").values()
    assert other in [rule["Properties"]["GroupId"] for rule in egress]
    assert default not in [rule["Properties"]["GroupId"] for rule in egress]


def test_a_bound_function_has_the_same_variables_as_the_smoke_test(
    stack: cdk.Stack, network: RedisNetwork, function: lambda_.Function
) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network, shards=2)
    ledger.bind(function, user=ledger.add_iam_user("app", ACCESS))
    SmokeTest(stack, "SmokeTest", target=ledger)

    bound, tested = _variables(stack), _variables(stack, "cdk_redis_runtime.smoke_lambda.handler")
    assert {name: tested[name] for name in bound} | {environment.USER: ""} == bound | {environment.USER: ""}


def test_binding_a_password_user_sets_the_arn_of_its_secret(
    stack: cdk.Stack, network: RedisNetwork, function: lambda_.Function
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, engine=Engine.redis("6.2"))
    cache.bind(function, user=cache.add_password_user("app", ACCESS))

    variables = _variables(stack)
    assert variables[environment.AUTHENTICATION] == "password"
    assert set(variables[environment.SECRET_ARN]) == {"Ref"}


def test_open_access_needs_no_user(stack: cdk.Stack, network: RedisNetwork, function: lambda_.Function) -> None:
    MemoryDbCluster(stack, "Ledger", network=network, unsafe_open_access=True).bind(function)

    assert _variables(stack)[environment.AUTHENTICATION] == "none"
    opened = {"Description": "to Stack/Ledger", "FromPort": 6379, "ToPort": 6379}
    Template.from_stack(stack).has_resource_properties("AWS::EC2::SecurityGroupIngress", opened)


def test_binding_without_a_user_is_rejected_without_open_access(
    stack: cdk.Stack, network: RedisNetwork, function: lambda_.Function
) -> None:
    with pytest.raises(ConfigurationError, match="clients sign in as a user; add one with `add_iam_user`"):
        ReplicationGroup(stack, "Cache", network=network).bind(function)


def test_binding_again_to_the_same_store_and_user_changes_nothing() -> None:
    def bound(times: int) -> dict[str, object]:
        stack = cdk.Stack(cdk.App(), "Stack")
        network = RedisNetwork(stack, "Network")
        cache = ReplicationGroup(stack, "Cache", network=network)
        user = cache.add_iam_user("app", ACCESS)
        function = _function(stack, network)
        for _ in range(times):
            cache.bind(function, user=user)
        return dict(Template.from_stack(stack).to_json())

    assert bound(1) == bound(2)


def test_binding_to_a_second_store_is_rejected(
    stack: cdk.Stack, network: RedisNetwork, function: lambda_.Function
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    cache.bind(function, user=cache.add_iam_user("app", ACCESS))
    ledger = MemoryDbCluster(stack, "Ledger", network=network)
    user = ledger.add_iam_user("app", ACCESS)

    with pytest.raises(ConfigurationError) as caught:
        ledger.bind(function, user=user)

    assert str(caught.value) == (
        "Stack/Ledger: target: got 'Stack/App', but it is bound to Stack/Cache as Stack/Cache/Users/app, and a target "
        "has one binding without a name; give this one a name: with bind(..., name='ledger'), the program calls "
        "connect('ledger')"
    )
    # The rejected store has granted nothing, and the variables of the first store are unchanged.
    assert "memorydb:Connect" not in str(Template.from_stack(stack).find_resources("AWS::IAM::Policy"))
    assert _variables(stack)[environment.STORE] == {"Ref": "Cache18F6EE16"}


def test_binding_as_a_second_user_is_rejected(
    stack: cdk.Stack, network: RedisNetwork, function: lambda_.Function
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    cache.bind(function, user=cache.add_iam_user("app", ACCESS))
    other = cache.add_iam_user("other", ACCESS)

    with pytest.raises(ConfigurationError, match="bound to Stack/Cache as Stack/Cache/Users/app, and a target has one"):
        cache.bind(function, user=other)


def test_binding_to_a_second_store_with_open_access_is_rejected(
    stack: cdk.Stack, network: RedisNetwork, function: lambda_.Function
) -> None:
    first = MemoryDbCluster(stack, "First", network=network, unsafe_open_access=True)
    second = MemoryDbCluster(stack, "Second", network=network, unsafe_open_access=True)
    first.bind(function)

    with pytest.raises(ConfigurationError, match="bound to Stack/First without a user, and a target has one"):
        second.bind(function)


def test_one_function_is_bound_to_several_stores_by_name(
    stack: cdk.Stack, network: RedisNetwork, function: lambda_.Function
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    ledger = MemoryDbCluster(stack, "Ledger", network=network)
    cache.bind(function, user=cache.add_iam_user("app", ACCESS))
    user = ledger.add_iam_user("app", ACCESS)
    ledger.bind(function, user=user, name="order-ledger")

    variables = _variables(stack)
    assert variables[environment.STORE] == {"Ref": "Cache18F6EE16"}
    assert variables["CDK_REDIS_ORDER_LEDGER_SERVICE"] == "memorydb"
    assert variables["CDK_REDIS_ORDER_LEDGER_USER"] == user.user_name
    assert variables["CDK_REDIS_ORDER_LEDGER_HOST"] == {"Fn::GetAtt": ["LedgerB7379752", "ClusterEndpoint.Address"]}
    actions = str(Template.from_stack(stack).find_resources("AWS::IAM::Policy"))
    assert "elasticache:Connect" in actions
    assert "memorydb:Connect" in actions


def test_the_client_reads_the_variables_of_a_named_binding(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    user = cache.add_iam_user("app", ACCESS)
    written = cache.connection_environment(user, lambda name, _: "6379" if name.endswith("Port") else name, name="web")

    read = Connection.from_environment({**written, "AWS_REGION": "eu-west-1"}, "web")

    assert (read.store, read.host, read.port, read.user) == ("Name", "Host", 6379, user.user_name)


def test_a_name_is_that_of_one_binding(stack: cdk.Stack, network: RedisNetwork, function: lambda_.Function) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    user = cache.add_iam_user("app", ACCESS)
    other = cache.add_iam_user("other", ACCESS)
    for _ in range(2):
        cache.bind(function, user=user, name="web")

    with pytest.raises(ConfigurationError) as caught:
        cache.bind(function, user=other, name="web")

    assert str(caught.value) == (
        "Stack/Cache: name: got 'web', but this is the name of the binding of Stack/App to Stack/Cache as "
        "Stack/Cache/Users/app; use another name for each binding"
    )


@pytest.mark.parametrize("name", ["Web", "1st", "web_app", "reader", "a" * 33, cdk.Aws.REGION])
def test_a_name_that_the_client_cannot_read_is_rejected(
    stack: cdk.Stack, network: RedisNetwork, function: lambda_.Function, name: str
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    user = cache.add_iam_user("app", ACCESS)

    with pytest.raises(ConfigurationError, match=r"^Stack/Cache: name: got .*; use for example 'ledger'$"):
        cache.bind(function, user=user, name=name)
    with pytest.raises(ConfigurationError, match=r"^Stack/Cache: name: got "):
        cache.connection_environment(user, name=name)
    assert "elasticache:Connect" not in str(Template.from_stack(stack).to_json())
