"""Whatever the feature flags of an app are, binding a target of another stack creates no export."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms

from cdk_redis import (
    AccessString,
    ConfigurationError,
    ElastiCacheUserGroup,
    FailoverDrill,
    MemoryDbCluster,
    RedisNetwork,
    ReplicationGroup,
    SmokeTest,
)
from tests.unit.store.support.targets import KINDS, Kind, duplicates, function, rules, template_of, variables
from tests.unit.support.vpcs import existing_vpc

ACCESS = AccessString.read_write("app:*")
REFERENCES = "@aws-cdk/core:defaultCrossStackReferences"
FLAGS: dict[str, dict[str, Any]] = {
    "none": {},
    "strong": {REFERENCES: "strong"},
    "both": {REFERENCES: "both"},
    "weak": {REFERENCES: "weak"},
    "other": {
        "@aws-cdk/aws-iam:minimizePolicies": True,
        "@aws-cdk/core:stackRelativeExports": False,
        "@aws-cdk/core:enablePartitionLiterals": True,
        "@aws-cdk/aws-lambda:createNewPoliciesWithAddToRolePolicy": True,
        "@aws-cdk/aws-autoscaling:generateLaunchTemplateInsteadOfLaunchConfig": True,
        "@aws-cdk/aws-ec2:uniqueImdsv2TemplateName": True,
        "@aws-cdk/aws-ec2.securityGroupDisableInlineRules": True,
    },
}


class Stacks:
    """A network and two stores in one stack, their clients in another."""

    def __init__(self, flags: dict[str, Any], env: cdk.Environment | None = None) -> None:
        self.app = cdk.App(context=flags)
        self.data = cdk.Stack(self.app, "Data", env=env)
        self.web = cdk.Stack(self.app, "Web", env=env)
        self.network = RedisNetwork(self.data, "Network")
        self.cache = ReplicationGroup(
            self.data, "Cache", network=self.network, secret_kms_key=kms.Key(self.data, "Key")
        )
        self.ledger = MemoryDbCluster(self.data, "Ledger", network=self.network)

    def bind(self, target: Any, **given: Any) -> None:
        self.cache.bind(target, user=self.cache.add_password_user("app", ACCESS), **given)
        self.ledger.bind(target, user=self.ledger.add_iam_user("app", ACCESS), name="ledger", **given)

    def templates(self) -> list[dict[str, Any]]:
        return [template_of(stack) for stack in self.app.node.children if isinstance(stack, cdk.Stack)]

    def exports(self) -> list[str]:
        """What locks a stack: exports and imports."""
        return [word for word in ("Fn::ImportValue", '"Export"') if word in json.dumps(self.templates())]


@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_target_in_the_networks_subnets_is_bound_without_exports(kind: Kind, flags: dict[str, Any]) -> None:
    stacks = Stacks(flags, cdk.Environment(account="111122223333", region="eu-west-1"))
    stacks.bind(kind.define(stacks.web, stacks.network))

    data, web = stacks.templates()
    assert stacks.exports() == []
    assert stacks.data.dependencies == []
    found = variables(web)
    assert found["CDK_REDIS_AUTHENTICATION"] == "password"
    assert found["CDK_REDIS_LEDGER_SERVICE"] == "memorydb"
    assert duplicates([data, web]) == []
    opened = sorted(rule["FromPort"] for rule in rules(web, "Ingress"))
    assert opened == [443, 6379, 6379]


@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
def test_a_smoke_test_and_a_drill_of_another_stack_have_no_exports(flags: dict[str, Any]) -> None:
    stacks = Stacks(flags, cdk.Environment(account="111122223333", region="eu-west-1"))
    SmokeTest(stacks.web, "SmokeTest", target=stacks.cache)
    FailoverDrill(stacks.web, "Drill", target=stacks.ledger)

    assert stacks.exports() == []


def test_stacks_without_account_and_region_have_no_exports() -> None:
    stacks = Stacks({})
    stacks.bind(function(stacks.web, stacks.network))

    assert stacks.exports() == []


@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
def test_a_network_in_a_third_stack_is_not_locked_by_the_client(flags: dict[str, Any]) -> None:
    app = cdk.App(context=flags)
    shared, data, web = (cdk.Stack(app, name) for name in ("Shared", "Data", "Web"))
    network = RedisNetwork(shared, "Network")
    cache = ReplicationGroup(data, "Cache", network=network)
    cache.bind(function(web, network), user=cache.add_iam_user("app", ACCESS))

    assert "Fn::ImportValue" not in json.dumps(template_of(web))


def test_the_secret_of_a_shared_user_is_read_from_the_stack_that_has_it() -> None:
    app = cdk.App()
    shared, data, web = (cdk.Stack(app, name) for name in ("Shared", "Data", "Web"))
    users = ElastiCacheUserGroup(shared, "Users", engine="valkey:8.1")
    network = RedisNetwork(data, "Network")
    cache = ReplicationGroup(data, "Cache", network=network, engine="valkey:8.1", user_group=users)
    cache.bind(function(web, network), user=cache.add_password_user("app", ACCESS))

    secret = variables(template_of(web))["CDK_REDIS_SECRET_ARN"]["Fn::GetStackOutput"]
    assert secret["StackName"] == "Shared"
    assert secret["OutputName"] in template_of(shared)["Outputs"]
    assert "SecretArn" not in str(template_of(data).get("Outputs", {}).keys())


def _given_groups(stacks: Stacks, stack: cdk.Stack) -> list[ec2.ISecurityGroup]:
    return [ec2.SecurityGroup(stack, "Group", vpc=stacks.network.vpc, allow_all_outbound=False)]


def test_a_function_with_a_security_group_of_an_earlier_stack_is_bound_in_its_own_stack() -> None:
    app = cdk.App()
    shared, data, web = (cdk.Stack(app, name) for name in ("Shared", "Data", "Web"))
    network = RedisNetwork(shared, "Network")
    group = ec2.SecurityGroup(shared, "Group", vpc=network.vpc, allow_all_outbound=False)
    cache = ReplicationGroup(data, "Cache", network=network)
    bound = function(web, network, security_groups=[group])
    for name in (None, "again"):
        cache.bind(bound, user=cache.add_iam_user(name or "app", ACCESS), name=name)

    template = template_of(web)
    assert [list(rule["SourceSecurityGroupId"]) for rule in rules(template, "Ingress")] == [["Fn::GetStackOutput"]]
    assert [list(rule["GroupId"]) for rule in rules(template, "Egress")] == [["Fn::GetStackOutput"]]


def test_the_clients_security_group_of_a_network_gets_no_second_rule() -> None:
    before = template_of(Stacks({}).data)
    stacks = Stacks({})
    stacks.cache.bind(
        function(stacks.web, stacks.network, security_groups=[stacks.network.client_security_group]),
        user=stacks.cache.add_iam_user("app", ACCESS),
    )

    data, web = stacks.templates()
    for way in ("Ingress", "Egress"):
        assert rules(data, way) == rules(before, way)
    assert rules(web, "Ingress") == rules(web, "Egress") == []
    assert stacks.exports() == []


def test_groups_of_two_stacks_are_bound_in_the_stack_of_each() -> None:
    stacks = Stacks({})
    own = _given_groups(stacks, stacks.web)
    theirs = _given_groups(stacks, stacks.data)
    bound = function(stacks.web, stacks.network, security_groups=[*own, *theirs])
    stacks.cache.bind(bound, user=stacks.cache.add_iam_user("app", ACCESS))

    data, web = stacks.templates()
    assert "Fn::GetStackOutput" not in json.dumps(data)
    assert len(rules(web, "Ingress")) == 1
    assert duplicates([data, web]) == []
    group = stacks.data.resolve(theirs[0].security_group_id)
    assert group in [rule["SourceSecurityGroupId"] for rule in rules(data, "Ingress")]


@pytest.mark.parametrize("given", [None, False])
def test_isolated_subnets_of_an_existing_vpc_need_a_named_endpoint(stack: cdk.Stack, given: bool | None) -> None:
    network = RedisNetwork(stack, "Network", vpc=existing_vpc(stack), secrets_endpoint=given)
    cache = ReplicationGroup(stack, "Cache", network=network)
    bound = function(stack, network)
    user = cache.add_password_user("app", ACCESS)
    before = template_of(stack)

    with pytest.raises(ConfigurationError) as caught:
        cache.bind(bound, user=user)

    assert str(caught.value) == (
        f"Stack/Network: secrets_endpoint: got {given}, but a password is read from Secrets Manager, and the subnets "
        "need an endpoint to reach it; set secrets_endpoint=True to create one, or give the one that the VPC has"
    )
    assert template_of(stack) == before


def test_a_named_endpoint_of_an_existing_vpc_is_opened(stack: cdk.Stack) -> None:
    endpoint = ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
        stack,
        "Endpoint",
        vpc_endpoint_id="vpce-0123456789abcdef0",
        port=443,
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "EndpointGroup", "sg-endpoint")],
    )
    network = RedisNetwork(stack, "Network", vpc=existing_vpc(stack), secrets_endpoint=endpoint)
    cache = ReplicationGroup(stack, "Cache", network=network)
    cache.bind(function(stack, network), user=cache.add_password_user("app", ACCESS))

    assert ("sg-endpoint", 443) in [
        (rule["GroupId"], rule["FromPort"]) for rule in rules(template_of(stack), "Ingress")
    ]


def test_subnets_with_egress_need_no_endpoint(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    network = RedisNetwork(stack, "Network", vpc=vpc)
    cache = ReplicationGroup(stack, "Cache", network=network)
    cache.bind(function(stack, network), user=cache.add_password_user("app", ACCESS))

    assert network.secrets_endpoint is None


def test_the_created_endpoint_is_opened_for_each_function_once(stack: cdk.Stack, network: RedisNetwork) -> None:
    caches = [ReplicationGroup(stack, name, network=network) for name in ("One", "Two")]
    bound = function(stack, network)
    for cache in caches:
        cache.bind(bound, user=cache.add_password_user("app", ACCESS), name=cache.node.id.lower())

    assert [rule["FromPort"] for rule in rules(template_of(stack), "Ingress")].count(443) == 1
