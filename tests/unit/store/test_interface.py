"""`IStore`: defined and imported stores have the same connections, metrics and grants."""

from __future__ import annotations

import inspect

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from cdk_redis import (
    AccessString,
    ConfigurationError,
    ElastiCacheUser,
    Endpoint,
    IStore,
    MemoryDbCluster,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
    SmokeTest,
    StoreGrants,
)

IMPORTS = [
    ReplicationGroup.from_replication_group_attributes,
    ServerlessCache.from_serverless_cache_attributes,
    MemoryDbCluster.from_cluster_attributes,
]


def imported(stack: cdk.Stack, network: RedisNetwork) -> IStore:
    return ReplicationGroup.from_replication_group_attributes(
        stack,
        "Imported",
        replication_group_id="cache",
        endpoint=Endpoint("cache.example", 6379),
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")],
        users=[ElastiCacheUser.from_user_attributes(stack, "User", user_name="app")],
        network=network,
    )


@pytest.mark.parametrize("import_store", IMPORTS, ids=lambda method: method.__qualname__)
def test_an_import_is_an_istore(import_store: object) -> None:
    assert inspect.signature(import_store).return_annotation == "IStore"  # type: ignore[arg-type]


def test_an_imported_store_and_a_defined_one_are_istores(stack: cdk.Stack, network: RedisNetwork) -> None:
    for store in (imported(stack, network), ReplicationGroup(stack, "Defined", network=network)):
        assert isinstance(store, IStore)
        assert isinstance(store.grants, StoreGrants)
        assert cdk.Resource.is_resource(store)
        assert store.connections.security_groups


def test_grants_connect_is_grant_connect() -> None:
    def template(*, short: bool) -> object:
        stack = cdk.Stack(cdk.App(), "Stack")
        cache = ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"))
        user = cache.add_iam_user("app", AccessString.read_write("app:*"))
        role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())  # pyright: ignore[reportArgumentType]
        (cache.grant_connect if short else cache.grants.connect)(role, user=user)
        return Template.from_stack(stack).to_json()

    assert template(short=True) == template(short=False)


def test_network_access_adds_only_security_group_rules(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    instance = ec2.Instance(
        stack,
        "Instance",
        vpc=network.vpc,
        vpc_subnets=network.subnet_selection,
        instance_type=ec2.InstanceType("t4g.micro"),
        machine_image=ec2.MachineImage.generic_linux({"eu-west-1": "ami-1"}),
        allow_all_outbound=False,
    )
    cache.grants.network_access(instance)

    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::EC2::SecurityGroupIngress", {"Description": "to Stack/Cache"})
    assert "elasticache:Connect" not in str(template.to_json())


def test_a_user_of_another_store_is_rejected(stack: cdk.Stack, network: RedisNetwork) -> None:
    store = imported(stack, network)
    user = ReplicationGroup(stack, "Cache", network=network).add_iam_user("app", AccessString.read_only("app:*"))
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())  # pyright: ignore[reportArgumentType]

    with pytest.raises(ConfigurationError) as raised:
        store.grants.connect(role, user=user)
    assert str(raised.value) == (
        "Stack/Imported: user: got 'Stack/Cache/Users/app', but it is not a user of this store; "
        "add it with `add_iam_user`"
    )


def test_a_smoke_test_accepts_an_imported_store(stack: cdk.Stack, network: RedisNetwork) -> None:
    store = imported(stack, network)
    SmokeTest(stack, "SmokeTest", target=store, user=store.users[0])

    tested = {"Handler": "cdk_redis_runtime.smoke_lambda.handler"}
    Template.from_stack(stack).resource_properties_count_is("AWS::Lambda::Function", tested, 1)
