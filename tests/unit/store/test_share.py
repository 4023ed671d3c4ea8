"""`share` writes the record of a connection; `ConnectionRecord` binds programs of other stacks and apps to it."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cdk_redis import (
    AccessString,
    ConfigurationError,
    ConnectionRecord,
    Endpoint,
    MemoryDbCluster,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
)
from cdk_redis_runtime._client.record import FIELDS
from cdk_redis_runtime._client.record import ConnectionRecord as RuntimeRecord
from tests.unit.store.support.targets import (
    KINDS,
    Kind,
    fargate_service,
    fargate_task,
    function,
    rules,
    template_of,
    variables,
)

ACCESS = AccessString.read_write("app:*")


def _record(template: dict[str, Any]) -> dict[str, Any]:
    """The record that CloudFormation would write: references are ``<Resource.Attribute>``."""
    (properties,) = [
        one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::SSM::Parameter"
    ]
    value = properties["Value"]
    text = value if isinstance(value, str) else "".join(map(_text, value["Fn::Join"][1]))
    return json.loads(text)


def _text(part: Any) -> str:
    if isinstance(part, str):
        return part
    ((kind, value),) = part.items()
    if kind == "Fn::Select":
        return "6379"
    return f"<{value if isinstance(value, str) else '.'.join(value)}>"


def _only(template: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]
    return found


@pytest.mark.parametrize("store", [ReplicationGroup, ServerlessCache, MemoryDbCluster])
def test_the_record_describes_the_connection(stack: cdk.Stack, network: RedisNetwork, store: type[Any]) -> None:
    shared_store = store(stack, "Store", network=network)
    user = shared_store.add_iam_user("app", ACCESS)
    shared = shared_store.share("/orders/cache", user=user)

    template = template_of(stack)
    record = _record(template)
    assert list(record) == list(FIELDS)
    assert record["version"] == "1"
    assert record["user"] == user.user_name
    assert (record["authentication"], record["secret_arn"]) == ("iam", "")
    assert record["region"] == "eu-west-1"
    assert record["serverless"] == str(store is ServerlessCache).lower()
    assert record["cluster_mode"] == str(store is not ReplicationGroup).lower()
    assert (record["engine"], record["tls"]) == ("valkey", "true")
    assert record["engine_version"] == shared_store.topology.engine.version
    group = stack.resolve(shared.client_security_group.security_group_id)["Fn::GetAtt"]
    assert record["client_security_group"] == f"<{'.'.join(group)}>"
    assert record["store_security_group"].endswith(".GroupId>")
    assert record["policy_arn"].startswith("<StoreSharedorderscachePolicy")
    assert _only(template, "AWS::SSM::Parameter")["Name"] == "/orders/cache"


def test_the_client_reads_the_record(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    user = cache.add_password_user("app", ACCESS)
    cache.share("/orders/cache", user=user)

    text = json.dumps(
        {name: "6379" if name.endswith("port") else value for name, value in _record(template_of(stack)).items()}
    )
    read = RuntimeRecord.from_json(text)
    assert read.connection.user == user.user_name
    assert read.connection.authentication == "password"
    assert str(read.connection.secret_arn).startswith("<CacheUsersappSecret")


def test_members_of_the_security_group_reach_the_store_only(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ServerlessCache(stack, "Cache", network=network)
    shared = cache.share("/orders/cache", user=cache.add_iam_user("app", ACCESS))

    template = template_of(stack)
    own = stack.resolve(shared.client_security_group.security_group_id)
    (ingress,) = [rule for rule in rules(template, "Ingress") if rule["SourceSecurityGroupId"] == own]
    (egress,) = [rule for rule in rules(template, "Egress") if rule["GroupId"] == own]
    assert (ingress["FromPort"], ingress["ToPort"]) == (egress["FromPort"], egress["ToPort"]) == (6379, 6380)


def test_the_policy_allows_to_sign_in_and_to_read_the_record(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    cache.share("/orders/cache", user=cache.add_iam_user("app", ACCESS))

    statements = _only(template_of(stack), "AWS::IAM::ManagedPolicy")["PolicyDocument"]["Statement"]
    assert [statement["Action"] for statement in statements] == ["ssm:GetParameter", "elasticache:Connect"]
    assert "parameter/orders/cache" in str(statements[0]["Resource"])
    assert len(statements[1]["Resource"]) == 2


def test_the_policy_of_a_password_user_has_the_secret_and_its_key(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, secret_kms_key=kms.Key(stack, "Key"))
    shared = cache.share("/orders/cache", user=cache.add_password_user("app", ACCESS))

    template = template_of(stack)
    statements = _only(template, "AWS::IAM::ManagedPolicy")["PolicyDocument"]["Statement"]
    assert statements[1]["Action"] == ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    assert statements[2]["Action"] == "kms:Decrypt"
    own = stack.resolve(shared.client_security_group.security_group_id)
    assert sorted(rule["FromPort"] for rule in rules(template, "Egress") if rule["GroupId"] == own) == [443, 6379]


def test_a_store_with_open_access_is_shared_without_a_user(stack: cdk.Stack, network: RedisNetwork) -> None:
    MemoryDbCluster(stack, "Ledger", network=network, unsafe_open_access=True).share("ledger")

    assert _record(template_of(stack))["authentication"] == "none"


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_of_target_of_another_app_is_bound_to_the_record(
    stack: cdk.Stack, network: RedisNetwork, kind: Kind
) -> None:
    target = kind.define(stack, network)
    record = ConnectionRecord.from_parameter(stack, "Orders", "/orders/cache")
    if kind is KINDS["EC2 service"]:
        with pytest.raises(ConfigurationError, match="its tasks have the security groups of their instances; bind the"):
            record.bind(target)
        return
    for _ in range(2):
        record.bind(target)

    template = template_of(stack)
    (parameter,) = [name for name, one in template["Parameters"].items() if one["Default"] == "/orders/cache"]
    assert template["Parameters"][parameter]["Type"] == "AWS::SSM::Parameter::Value<String>"
    assert variables(template)["CDK_REDIS_RECORD"] in ({"Ref": parameter}, f"<{parameter}>")
    roles = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::IAM::Role"]
    attached = [arn for role in roles for arn in role.get("ManagedPolicyArns", []) if parameter in str(arn)]
    assert attached == [_field(parameter, "policy_arn")]
    joined = [one for one in template["Resources"].values() if '"client_security_group":"' in str(one)]
    assert len(joined) == 1
    assert rules(template, "Ingress") == rules(template, "Egress") == []


def _field(parameter: str, name: str) -> dict[str, Any]:
    after = {"Fn::Select": [1, {"Fn::Split": [f'"{name}":"', {"Ref": parameter}]}]}
    return {"Fn::Select": [0, {"Fn::Split": ['"', after]}]}


def test_a_service_joins_the_security_group_beside_its_own(stack: cdk.Stack, network: RedisNetwork) -> None:
    service = fargate_service(stack, network)
    for name in ("orders", "ledger"):
        ConnectionRecord.from_parameter(stack, name, f"/{name}").bind(service, name=name)

    template = template_of(stack)
    groups = _only(template, "AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]["SecurityGroups"]
    assert groups[0] == stack.resolve(service.connections.security_groups[0].security_group_id)
    assert len(groups) == 3
    assert variables(template).keys() == {"CDK_REDIS_ORDERS_RECORD", "CDK_REDIS_LEDGER_RECORD"}


def test_a_task_gets_the_record_and_runs_with_the_security_group(stack: cdk.Stack) -> None:
    record = ConnectionRecord.from_parameter(stack, "Orders", "/orders/cache")
    record.bind(fargate_task(stack))

    assert "CDK_REDIS_RECORD" in variables(template_of(stack))
    assert "client_security_group" in str(stack.resolve(record.client_security_group.security_group_id))


def test_a_program_that_joined_a_group_opens_no_other_store_to_its_members(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    bound = function(stack, network)
    ConnectionRecord.from_parameter(stack, "Orders", "/orders/cache").bind(bound, name="orders")
    cache = ReplicationGroup(stack, "Cache", network=network)
    cache.bind(bound, user=cache.add_iam_user("app", ACCESS))

    assert "client_security_group" not in str(rules(template_of(stack), "Ingress"))


def test_a_program_of_another_stack_reads_the_parameter_in_its_own_stack() -> None:
    app = cdk.App()
    records, web = cdk.Stack(app, "Records"), cdk.Stack(app, "Web")
    record = ConnectionRecord.from_parameter(records, "Orders", "/orders/cache")
    record.bind(function(web, RedisNetwork(web, "Network")))

    assert "CDK_REDIS_RECORD" in variables(template_of(web))
    assert web.dependencies == []


def test_a_program_with_an_imported_role_is_rejected(stack: cdk.Stack, network: RedisNetwork) -> None:
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/app")
    bound = function(stack, network, role=role)

    with pytest.raises(ConfigurationError) as caught:
        ConnectionRecord.from_parameter(stack, "Orders", "/orders/cache").bind(bound)

    assert str(caught.value) == (
        "Stack/Orders: target: got 'Stack/App', but its role is imported, and no policy can be attached to it; give it "
        "a role of this app, or attach the policy of the record where the role is defined"
    )


def test_a_second_record_needs_a_name(stack: cdk.Stack, network: RedisNetwork) -> None:
    bound = function(stack, network)
    ConnectionRecord.from_parameter(stack, "Orders", "/orders").bind(bound)

    with pytest.raises(ConfigurationError, match="it is bound to the record /orders, and a target has one binding"):
        ConnectionRecord.from_parameter(stack, "Ledger", "/ledger").bind(bound)


NAMES = {
    "": "parameter_name: got '', but it must be text with at least one character",
    "orders/cache": "parameter_name: got 'orders/cache', but a name has up to 1011 letters",
    "/orders/": "parameter_name: got '/orders/', but a name has up to 1011 letters",
    "/a b": "parameter_name: got '/a b', but a name has up to 1011 letters",
    "/a" * 16: "in up to 15 levels",
    "/aws/orders": "parameter_name: got '/aws/orders', but names that begin with 'aws' or 'ssm' are reserved",
    cdk.Aws.REGION: "but a name is written out; write for example '/orders/cache'",
}


@pytest.mark.parametrize(("name", "message"), NAMES.items())
def test_a_name_that_ssm_refuses_is_rejected(stack: cdk.Stack, network: RedisNetwork, name: str, message: str) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    user = cache.add_iam_user("app", ACCESS)

    with pytest.raises(ConfigurationError) as caught:
        cache.share(name, user=user)
    assert message in str(caught.value)
    with pytest.raises(ConfigurationError) as caught:
        ConnectionRecord.from_parameter(stack, "Orders", name)
    assert message in str(caught.value)


def test_a_store_is_shared_once_in_a_parameter(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    user = cache.add_iam_user("app", ACCESS)
    cache.share("/orders/cache", user=user)

    with pytest.raises(ConfigurationError) as caught:
        cache.share("/orders/cache", user=user)

    assert str(caught.value) == (
        "Stack/Cache: parameter_name: got '/orders/cache', but the store is shared in a parameter of that name; use "
        "another"
    )


def test_an_import_without_a_network_is_not_shared(stack: cdk.Stack) -> None:
    store = ReplicationGroup.from_replication_group_attributes(
        stack,
        "Imported",
        replication_group_id="cache",
        endpoint=Endpoint("cache.example", 6379),
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")],
        unsafe_open_access=True,
    )

    with pytest.raises(ConfigurationError) as caught:
        store.share("/orders/cache")

    assert str(caught.value) == (
        "Stack/Imported: network: got None, but the security group of its clients needs the VPC of the store; give "
        "`network` to the import"
    )
