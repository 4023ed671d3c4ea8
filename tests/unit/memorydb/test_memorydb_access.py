"""Users of MemoryDB clusters: IAM, passwords, shared ACLs, open access, imports."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import (
    AccessString,
    Acl,
    Authentication,
    ConfigurationError,
    Endpoint,
    Engine,
    MemoryDbCluster,
    MemoryDbUser,
    RedisNetwork,
    SmokeTest,
)

CLUSTER = "AWS::MemoryDB::Cluster"


def properties_of(stack: cdk.Stack, resource_type: str = CLUSTER) -> dict[str, object]:
    (resource,) = Template.from_stack(stack).find_resources(resource_type).values()
    return resource["Properties"]


def test_clusters_that_share_an_acl_share_its_users(stack: cdk.Stack, network: RedisNetwork) -> None:
    known = MemoryDbUser(
        stack, "Known", access=AccessString.read_only("*"), authentication=Authentication.iam(), user_name="known"
    )
    acl = Acl(stack, "Acl", users=[known])
    one, two = (MemoryDbCluster(stack, name, network=network, acl=acl) for name in ("One", "Two"))
    app = one.add_iam_user("app", AccessString.read_write("app:*"))
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))

    assert one.users == two.users == acl.users == [known, app]
    for user in (known, app):
        two.grant_connect(role, user=user)
    Template.from_stack(stack).resource_count_is("AWS::MemoryDB::ACL", 1)


def test_adding_a_user_to_an_imported_acl_is_rejected(stack: cdk.Stack, network: RedisNetwork) -> None:
    acl = Acl.from_acl_name(stack, "Acl", "theirs")
    ledger = MemoryDbCluster(stack, "Ledger", network=network, acl=acl)

    assert properties_of(stack)["ACLName"] == "theirs"
    with pytest.raises(ConfigurationError, match="the list is imported"):
        ledger.add_iam_user("app", AccessString.read_only("*"))


def test_unsafe_plaintext_turns_tls_off_with_a_warning(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network, unsafe_open_access=True, unsafe_plaintext=True)
    SmokeTest(stack, "SmokeTest", target=ledger)

    assert properties_of(stack)["TLSEnabled"] is False
    Annotations.from_stack(stack).has_warning(
        "/Stack/Ledger", Match.string_like_regexp("^unsafe_plaintext: anyone on the network can read all traffic")
    )
    Template.from_stack(stack).has_resource_properties(
        "AWS::Lambda::Function", {"Environment": {"Variables": Match.object_like({"CDK_REDIS_TLS": "false"})}}
    )


def test_unsafe_open_access_uses_the_open_acl_with_a_warning(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network, unsafe_open_access=True)

    assert properties_of(stack)["ACLName"] == "open-access"
    Annotations.from_stack(stack).has_warning(
        "/Stack/Ledger",
        Match.string_like_regexp("^unsafe_open_access: anyone on the network can read and write all data"),
    )
    with pytest.raises(ConfigurationError, match="a cluster with open access has no users"):
        ledger.add_iam_user("app", AccessString.read_only("*"))


def test_an_iam_user_is_rejected_for_redis_oss_before_7(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network, engine=Engine.redis("6.2"))

    with pytest.raises(ConfigurationError, match=r"redis 6\.2 has no IAM users; use `add_password_user`"):
        ledger.add_iam_user("app", AccessString.read_only("*"))


def test_grant_connect_allows_the_cluster_and_the_user(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network)
    user = ledger.add_iam_user("app", AccessString.read_write("app:*"))
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    ledger.grant_connect(role, user=user)

    (policy,) = [
        policy
        for policy in Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
        if "Connect" in str(policy)
    ]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "memorydb:Connect"
    store, of_user = (resource["Fn::Join"][1] for resource in statement["Resource"])
    assert store[-2:] == [":memorydb:eu-west-1:111122223333:cluster/", {"Ref": stack.get_logical_id(ledger.resource)}]
    assert of_user[-1] == f":memorydb:eu-west-1:111122223333:user/{user.user_name}"


def test_a_password_user_has_a_generated_secret(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network)
    ledger.add_password_user("legacy", AccessString.read_only("app:*"))

    mode = properties_of(stack, "AWS::MemoryDB::User")["AuthenticationMode"]
    assert mode["Type"] == "password"  # type: ignore[index]
    assert "{{resolve:secretsmanager:" in str(mode)


def test_an_imported_cluster_grants_access_to_its_users(stack: cdk.Stack, network: RedisNetwork) -> None:
    app = MemoryDbUser.from_user_attributes(stack, "App", user_name="app")
    ledger = MemoryDbCluster.from_cluster_attributes(
        stack,
        "Ledger",
        cluster_name="ledger",
        endpoint=Endpoint("clustercfg.ledger.abc.memorydb.eu-west-1.amazonaws.com", 6379),
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Existing", "sg-0123456789abcdef0")],
        users=[app],
    )
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    ledger.grant_connect(role, user=app)

    assert "cluster/ledger" in str(Template.from_stack(stack).find_resources("AWS::IAM::Policy"))
    with pytest.raises(ConfigurationError, match="the store is imported"):
        ledger.add_iam_user("new", AccessString.read_only("*"))


@pytest.mark.parametrize("open_access", [True, False])
def test_an_imported_cluster_has_the_given_engine_and_access(stack: cdk.Stack, open_access: bool) -> None:
    ledger = MemoryDbCluster.from_cluster_attributes(
        stack,
        "Ledger",
        cluster_name="ledger",
        endpoint=Endpoint("clustercfg.ledger.abc.memorydb.eu-west-1.amazonaws.com", 6379),
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Existing", "sg-0123456789abcdef0")],
        engine="redis:7.1",
        unsafe_open_access=open_access,
        unsafe_plaintext=open_access,
    )

    assert (str(ledger.topology.engine), ledger.topology.tls, ledger.open_access) == (
        "redis 7.1",
        not open_access,
        open_access,
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"unsafe_plaintext": True},
            "unsafe_plaintext: got True, but MemoryDB has no users without TLS: everyone can connect; "
            "set `unsafe_open_access` as well",
        ),
        ({"shards": 0}, "shards: got 0, but a store has 1 to 500 shards"),
    ],
    ids=str,
)
def test_an_invalid_import_is_rejected(stack: cdk.Stack, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MemoryDbCluster.from_cluster_attributes(
            stack,
            "Ledger",
            cluster_name="ledger",
            endpoint=Endpoint("example.com", 6379),
            security_groups=[],
            **given,
        )
    assert str(caught.value) == f"Stack/Ledger: {message}"
