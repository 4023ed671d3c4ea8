"""A store that another app owns: a service connects to it, and each deployment of this app tests it.

cdk deploy --app "python3 examples/imported_store/app.py"
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_redis import ElastiCacheUser, Endpoint, Engine, RedisNetwork, ReplicationGroup, SmokeTest, acknowledge


class ReportsStack(cdk.Stack):
    """A service that reads from the store of another app."""

    def __init__(self, scope: Construct, id: str, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["eu-central-1a", "eu-central-1b"],
            isolated_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            isolated_subnet_route_table_ids=["rtb-0123456789abcdef0", "rtb-0123456789abcdef0"],
        )
        reports = ElastiCacheUser.from_user_attributes(self, "Reports", user_name="reports")
        smoke_test = ElastiCacheUser.from_user_attributes(self, "SmokeTestUser", user_name="smoke-test")
        store = ReplicationGroup.from_replication_group_attributes(
            self,
            "Store",
            replication_group_id="sessions",
            engine=Engine.redis("7.1"),
            shards=3,
            replicas=1,
            endpoint=Endpoint("clustercfg.sessions.abcdef.euc1.cache.amazonaws.com", 6379),
            security_groups=[ec2.SecurityGroup.from_security_group_id(self, "StoreGroup", "sg-0123456789abcdef0")],
            users=[reports, smoke_test],
            network=RedisNetwork(self, "Network", vpc=vpc),
        )
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        store.grant_connect(role, user=reports)
        SmokeTest(self, "SmokeTest", target=store, user=smoke_test)
        acknowledge(role, {"IAMNoInlinePolicy": "the role stands for one that exists"})


app = cdk.App()
ReportsStack(app, "Reports", env=cdk.Environment(account="111122223333", region="eu-central-1"))
app.synth()
