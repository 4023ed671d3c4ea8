"""Permissions and security group rules of clients, and imported replication groups."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import AccessString, ConfigurationError, ElastiCacheUser, Endpoint, RedisNetwork, ReplicationGroup
from tests.unit.elasticache.support.replication_groups import function_in


def test_grant_connect_adds_security_group_rules_and_allows_both_arns(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    user = cache.add_iam_user("app", AccessString.read_write("app:*"))
    cache.grant_connect(function_in(stack, network), user=user)

    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": [
                    {
                        "Action": "elasticache:Connect",
                        "Effect": "Allow",
                        "Resource": [
                            {
                                "Fn::Join": [
                                    "",
                                    [
                                        "arn:",
                                        {"Ref": "AWS::Partition"},
                                        ":elasticache:eu-west-1:111122223333:replicationgroup:",
                                        {"Ref": "Cache18F6EE16"},
                                    ],
                                ]
                            },
                            {
                                "Fn::Join": [
                                    "",
                                    [
                                        "arn:",
                                        {"Ref": "AWS::Partition"},
                                        f":elasticache:eu-west-1:111122223333:user:{user.user_name}",
                                    ],
                                ]
                            },
                        ],
                    }
                ]
            }
        },
    )
    template.has_resource_properties(
        "AWS::EC2::SecurityGroupIngress",
        {"FromPort": 6379, "ToPort": 6379, "IpProtocol": "tcp", "Description": Match.string_like_regexp("Cache")},
    )


def test_grant_connect_adds_no_rule_to_another_store(stack: cdk.Stack, network: RedisNetwork) -> None:
    first = ReplicationGroup(stack, "First", network=network)
    second = ReplicationGroup(stack, "Second", network=network)
    function = function_in(stack, network)
    first.grant_connect(function, user=first.add_iam_user("app", AccessString.read_write("app:*")))

    (function_group,) = function.connections.security_groups
    source = stack.resolve(function_group.security_group_id)
    opened = [
        rule["Properties"]["GroupId"]
        for rule in Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroupIngress").values()
        if rule["Properties"]["SourceSecurityGroupId"] == source
    ]
    assert opened == [stack.resolve(first.security_groups[0].security_group_id)]
    assert second.security_groups[0] is not first.security_groups[0]


def test_a_role_without_a_network_gets_the_iam_permission_only(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    cache.grant_connect(role, user=cache.add_iam_user("app", AccessString.read_write("app:*")))

    Template.from_stack(stack).has_resource_properties(
        "AWS::IAM::Policy", {"PolicyDocument": {"Statement": [Match.object_like({"Action": "elasticache:Connect"})]}}
    )


def test_the_grantee_of_a_password_user_can_read_its_secret(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    cache.grant_connect(role, user=cache.add_password_user("legacy", AccessString.read_write("app:*")))

    Template.from_stack(stack).has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": [
                    {
                        "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
                        "Effect": "Allow",
                        "Resource": {"Ref": Match.string_like_regexp("Secret")},
                    }
                ]
            }
        },
    )


def test_a_function_outside_a_vpc_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    user = cache.add_iam_user("app", AccessString.read_write("app:*"))

    with pytest.raises(ConfigurationError, match="grantee: got 'Stack/Function', but it is in no VPC"):
        cache.grant_connect(function_in(stack, None), user=user)


def test_the_user_of_another_store_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    first = ReplicationGroup(stack, "First", network=network)
    second = ReplicationGroup(stack, "Second", network=network)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))

    with pytest.raises(ConfigurationError, match="it is not a user of this store"):
        first.grant_connect(role, user=second.add_iam_user("app", AccessString.read_only("*")))


def test_an_imported_group_grants_connections_and_refuses_new_users(stack: cdk.Stack, network: RedisNetwork) -> None:
    app = ElastiCacheUser.from_user_attributes(stack, "App", user_name="app")
    group = ec2.SecurityGroup.from_security_group_id(stack, "Existing", "sg-0123456789abcdef0")
    cache = ReplicationGroup.from_replication_group_attributes(
        stack,
        "Cache",
        replication_group_id="orders",
        endpoint=Endpoint("orders.abc.cache.amazonaws.com", 6379),
        security_groups=[group],
        users=[app],
    )
    cache.grant_connect(function_in(stack, network), user=app)

    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::EC2::SecurityGroupIngress", {"GroupId": "sg-0123456789abcdef0", "FromPort": 6379}
    )
    assert "replicationgroup:orders" in str(template.to_json())
    with pytest.raises(ConfigurationError, match="the store is imported"):
        cache.add_iam_user("new", AccessString.read_only("*"))


def test_an_imported_store_has_the_given_attributes(stack: cdk.Stack, network: RedisNetwork) -> None:
    secret = secretsmanager.Secret(stack, "Secret")
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")
    common = {"endpoint": Endpoint("cache.example.com", 6379), "security_groups": [group], "network": network}
    token = ReplicationGroup.from_replication_group_attributes(
        stack, "Token", replication_group_id="one", auth_token=secret, **common
    )
    plain = ReplicationGroup.from_replication_group_attributes(
        stack, "Plain", replication_group_id="two", unsafe_plaintext=True, unsafe_open_access=True, **common
    )

    assert token.auth_token is not None
    assert token.auth_token.secret is secret
    assert token.users == [token.auth_token]
    assert (plain.open_access, plain.topology.tls, plain.topology.plaintext) == (True, False, True)
    assert Annotations.from_stack(stack).find_warning("*", Match.any_value()) == []
