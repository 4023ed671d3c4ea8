"""Descriptions made from paths: AWS accepts those of every construct, whatever its ids are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template
from constructs import Construct

from cdk_redis import (
    Authentication,
    FailoverDrill,
    GlobalDatastore,
    MemoryDbCluster,
    MultiRegionCluster,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
    SmokeTest,
    Store,
)

ODD = "Bücher's \"<%>`^~|?\\ 日本"
# Security groups and their rules accept the fewest characters:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
LEGAL = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")


def _descriptions(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in cast("dict[str, Any]", value).items():
            yield from _descriptions(inner, name)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _descriptions(inner)
    elif key.endswith("Description"):
        yield key, value


def _use(scope: Construct, store: Store, network: RedisNetwork) -> None:
    SmokeTest(scope, f"{ODD}Test", target=store, schedule=events.Schedule.rate(cdk.Duration.minutes(5)))
    if store.topology.replicas:
        FailoverDrill(scope, f"{ODD}Drill", target=store)
    user = store.add_password_user("app", "on ~* +@read")
    for number, groups in enumerate((None, [network.client_security_group])):
        group = ec2.SecurityGroup(scope, f"{ODD}Group{number}", vpc=network.vpc, description="client")
        function = lambda_.Function(
            scope,
            f"{ODD}Function{number}",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="app.handler",
            code=lambda_.Code.from_inline("#"),
            vpc=network.vpc,
            vpc_subnets=network.subnet_selection,
            security_groups=cast("Any", groups or [group]),
        )
        store.bind(function, user=user)
    store.grant_connect(iam.Role(scope, f"{ODD}Role", assumed_by=iam.AccountRootPrincipal()), user=user)


def test_long_paths_and_odd_ids_make_legal_descriptions():
    stack = cdk.Stack(cdk.App(), "Stack", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    scope: Construct = stack
    for depth in range(8):
        scope = Construct(scope, f"{ODD}{'x' * 30}{depth}")
    assert len(scope.node.path) > 255
    network = RedisNetwork(scope, f"{ODD}Network", secrets_endpoint=True)
    for number, store in enumerate(
        (
            ReplicationGroup(scope, f"{ODD}Cache", network=network, create_kms_key=True, node_type="cache.r7g.large"),
            ServerlessCache(scope, f"{ODD}Serverless", network=network, create_kms_key=True),
            MemoryDbCluster(scope, f"{ODD}Cluster", network=network, create_kms_key=True),
        )
    ):
        _use(Construct(scope, f"{ODD}{number}"), store, network)
    old = ReplicationGroup(scope, f"{ODD}Old", network=network, authentication=Authentication.auth_token())
    SmokeTest(scope, f"{ODD}TestOfOld", target=old)
    primary = ReplicationGroup(scope, f"{ODD}Primary", network=network, node_type="cache.r7g.large")
    GlobalDatastore(scope, f"{ODD}Global", primary=primary)
    MultiRegionCluster(scope, f"{ODD}MultiRegion")

    resources = Template.from_stack(stack).to_json()["Resources"]
    found = [
        (resource["Type"], name, text)
        for resource in resources.values()
        for name, text in _descriptions(resource["Properties"], "")
    ]
    assert len(found) > 30
    assert [one for one in found if not (isinstance(one[2], str) and LEGAL.fullmatch(one[2]))] == []
