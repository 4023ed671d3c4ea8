"""Any id of a construct gives descriptions that AWS accepts."""

from __future__ import annotations

import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from cdk_redis import Authentication, FailoverDrill, MemoryDbCluster, RedisNetwork, ReplicationGroup, SmokeTest

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")


def _descriptions(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for item in value for found in _descriptions(item)]
    if not isinstance(value, dict):
        return []
    texts = [item for key, item in value.items() if key.endswith("Description") and isinstance(item, str)]
    return texts + [found for item in value.values() for found in _descriptions(item)]


@pytest.mark.parametrize("id", ["Müller's", 'O\'Brien "cache"', "50%", "数据", "a" * 250])
def test_every_description_is_legal(stack: cdk.Stack, id: str) -> None:
    network = RedisNetwork(stack, f"{id} network")
    group = ReplicationGroup(stack, f"{id} cache", network=network, shards=1, create_kms_key=True)
    tokened = ReplicationGroup(stack, f"{id} token", network=network, authentication=Authentication.auth_token())
    cluster = MemoryDbCluster(stack, f"{id} cluster", network=network)
    for store in (group, tokened, cluster):
        schedule = events.Schedule.rate(cdk.Duration.hours(1))
        SmokeTest(stack, f"{store.node.id} test", target=store, schedule=schedule)
    FailoverDrill(stack, f"{id} drill", target=group)
    function = lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("pass"),
        vpc=network.vpc,
        vpc_subnets=ec2.SubnetSelection(subnets=network.vpc.isolated_subnets),
    )
    group.bind(function, user=group.add_iam_user("app", "on ~app:* +@read"))

    found = _descriptions(Template.from_stack(stack).to_json()["Resources"])

    assert len(found) > 20
    assert [text for text in found if not DESCRIPTION.fullmatch(text)] == []
