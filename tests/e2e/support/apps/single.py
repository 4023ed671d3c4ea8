"""App with a group without cluster mode, whose smoke test uses a password: `-c engine=... -c replicas=...`."""

from __future__ import annotations

import aws_cdk as cdk

from cdk_redis import AccessString, Engine, RedisNetwork, ReplicationGroup, SmokeTest

app = cdk.App()
name, _, version = str(app.node.get_context("engine")).partition(":")
stack = cdk.Stack(app, "Single")
group = ReplicationGroup(
    stack,
    "Cache",
    network=RedisNetwork(stack, "Network", zones=2),
    engine=Engine.of(name, version, elasticache_family=f"{name}{version.split('.')[0]}"),
    replicas=int(app.node.get_context("replicas")),
    parameters={"maxmemory-policy": "noeviction"},
    removal_policy=cdk.RemovalPolicy.DESTROY,
)
user = group.add_password_user("app", AccessString.smoke_test("cdk-redis-smoke:"))
SmokeTest(stack, "SmokeTest", target=group, user=user)
app.synth()
