"""App with two MemoryDB clusters: `-c engine=... -c prefix=... -c port=... -c team=...`."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from cdk_redis import AccessString, Engine, MemoryDbCluster, RedisNetwork, SmokeTest

app = cdk.App()
name, _, version = str(app.node.get_context("engine")).partition(":")
engine = Engine.of(name, version, memorydb_family=f"memorydb_{name}{version.split('.')[0]}")
stack = cdk.Stack(app, "MemoryDb")
network = RedisNetwork(stack, "Network", zones=2)
single = MemoryDbCluster(
    stack,
    "Single",
    network=network,
    engine=engine,
    replicas=0,
    # A change of the port replaces the cluster.
    port=int(app.node.get_context("port")),
    removal_policy=cdk.RemovalPolicy.DESTROY,
)
SmokeTest(
    stack,
    "SingleSmokeTest",
    target=single,
    user=single.add_password_user("smoke", AccessString.smoke_test("cdk-redis-smoke:")),
)
sharded = MemoryDbCluster(
    stack, "Sharded", network=network, engine=engine, shards=3, replicas=1, removal_policy=cdk.RemovalPolicy.DESTROY
)
SmokeTest(stack, "ShardedSmokeTest", target=sharded)

# Users of one store, each with its own key prefix. The update adds a third user and changes a prefix.
prefixes = {"orders": str(app.node.get_context("prefix")), "carts": "carts:"}
if str(app.node.get_context("team")) == "three":
    prefixes["stock"] = "stock:"
for user_name, prefix in prefixes.items():
    user = sharded.add_password_user(user_name, AccessString.read_write(f"{prefix}*").allow("cluster|slots", "command"))
    assert user.secret is not None
    if user_name == "orders":
        user.add_rotation()
        record = sharded.share("/rotated/orders", user=user).parameter
        cdk.CfnOutput(stack, "ordersRecord", value=record.parameter_name)
    cdk.CfnOutput(stack, f"{user_name}User", value=user.user_name)
    cdk.CfnOutput(stack, f"{user_name}Secret", value=user.secret.secret_arn)
# A user with IAM authentication, and a role that may connect as this user.
signer = sharded.add_iam_user("signer", AccessString.read_write("signer:*").allow("cluster|slots", "command"))
role = iam.Role(stack, "Signer", assumed_by=iam.AccountRootPrincipal())
sharded.grant_connect(role, user=signer)
for key, value in {
    "SingleName": single.store_name,
    "SinglePort": single.endpoint.port_text,
    "ShardedName": sharded.store_name,
    "ShardedPort": sharded.endpoint.port_text,
    "signerUser": signer.user_name,
    "signerRole": role.role_arn,
}.items():
    cdk.CfnOutput(stack, key, value=value)
app.synth()
