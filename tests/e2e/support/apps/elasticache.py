"""App with four replication groups: `-c redis=... -c valkey=... -c replicas=... -c shards=...`."""

from __future__ import annotations

import aws_cdk as cdk

from cdk_redis import AccessString, Authentication, Engine, RedisNetwork, ReplicationGroup, SmokeTest, User

app = cdk.App()


def engine(name: str) -> Engine:
    """The machine's engine with this name, in a parameter group family that the local cloud supports."""
    version = str(app.node.get_context(name))
    return Engine.of(name, version, elasticache_family=f"{name}{version.split('.')[0]}")


def secret_arn(user: User) -> str:
    """ARN of the secret of a user with a password."""
    assert user.secret is not None
    return user.secret.secret_arn


stack = cdk.Stack(app, "ElastiCache")
network = RedisNetwork(stack, "Network", zones=2)
# Without cluster mode: one group per engine, with a user of each authentication type.
redis = ReplicationGroup(
    stack,
    "Redis",
    network=network,
    engine=engine("redis"),
    replicas=int(app.node.get_context("replicas")),
    removal_policy=cdk.RemovalPolicy.DESTROY,
)
SmokeTest(
    stack,
    "RedisSmokeTest",
    target=redis,
    user=redis.add_password_user("app", AccessString.smoke_test("cdk-redis-smoke:")),
)
valkey = ReplicationGroup(
    stack,
    "Valkey",
    network=network,
    engine=engine("valkey"),
    replicas=int(app.node.get_context("replicas")),
    removal_policy=cdk.RemovalPolicy.DESTROY,
)
SmokeTest(stack, "ValkeySmokeTest", target=valkey)
# With an AUTH token instead of users.
token = ReplicationGroup(
    stack,
    "Token",
    network=network,
    engine=engine("redis"),
    replicas=int(app.node.get_context("replicas")),
    authentication=Authentication.auth_token(),
    removal_policy=cdk.RemovalPolicy.DESTROY,
)
SmokeTest(stack, "TokenSmokeTest", target=token)
cdk.CfnOutput(stack, "TokenName", value=token.store_name)
assert token.auth_token is not None
token.auth_token.add_rotation(previous_valid_for=cdk.Duration.seconds(10))
cdk.CfnOutput(stack, "TokenRecord", value=token.share("/rotated/token", user=token.auth_token).parameter.parameter_name)
cdk.CfnOutput(stack, "TokenSecret", value=secret_arn(token.auth_token))
# With cluster mode.
cluster = ReplicationGroup(
    stack,
    "Cluster",
    network=network,
    engine=engine("redis"),
    shards=int(app.node.get_context("shards")),
    replicas=0,
    removal_policy=cdk.RemovalPolicy.DESTROY,
)
SmokeTest(stack, "ClusterSmokeTest", target=cluster)

# A user of each store for the test, which writes a key before the update and reads it afterwards.
for name, store in {"Redis": redis, "Valkey": valkey, "Cluster": cluster}.items():
    user = store.add_password_user("witness", AccessString.read_write("witness:*").allow("cluster|slots", "command"))
    if name == "Redis":
        user.add_rotation()
        cdk.CfnOutput(stack, "RedisRecord", value=store.share("/rotated/redis", user=user).parameter.parameter_name)
    for key, value in {
        "Name": store.store_name,
        "Port": store.endpoint.port_text,
        "User": user.user_name,
        "Secret": secret_arn(user),
    }.items():
        cdk.CfnOutput(stack, f"{name}{key}", value=value)
app.synth()
