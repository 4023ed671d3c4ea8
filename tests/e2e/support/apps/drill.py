"""App with a failover drill for a store of each kind, and a smoke test that fails: `-c engine=...`."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk_redis import AccessString, Engine, FailoverDrill, MemoryDbCluster, RedisNetwork, ReplicationGroup, SmokeTest

app = cdk.App()
name, _, version = str(app.node.get_context("engine")).partition(":")
family = f"{name}{version.split('.')[0]}"
engine = Engine.of(name, version, elasticache_family=family, memorydb_family=f"memorydb_{family}")
stack = cdk.Stack(app, "Drill")
network = RedisNetwork(stack, "Network", zones=2)
single = ReplicationGroup(
    stack, "Single", network=network, engine=engine, replicas=1, removal_policy=cdk.RemovalPolicy.DESTROY
)
sharded = ReplicationGroup(
    stack, "Sharded", network=network, engine=engine, shards=2, replicas=1, removal_policy=cdk.RemovalPolicy.DESTROY
)
ledger = MemoryDbCluster(
    stack, "Ledger", network=network, engine=engine, shards=1, replicas=1, removal_policy=cdk.RemovalPolicy.DESTROY
)
errors = cloudwatch.Metric(namespace="Orders", metric_name="Errors")
alarm = cloudwatch.Alarm(stack, "Alarm", metric=errors, threshold=1, evaluation_periods=1)
cdk.CfnOutput(stack, "AlarmName", value=alarm.alarm_name)
for store_id, (store, shard) in {
    "Single": (single, "0001"),
    "Sharded": (sharded, "0002"),
    "Ledger": (ledger, "0001"),
}.items():
    drill = FailoverDrill(
        stack,
        f"{store_id}Drill",
        target=store,
        shard=shard,
        # The local cloud is faster than AWS. But on a busy machine, three functions take some seconds to start, and
        # must connect to their stores before the failover.
        duration=cdk.Duration.seconds(26),
        failover_after=cdk.Duration.seconds(13),
        blocking_alarms=[alarm] if store is sharded else [],
    )
    witness = store.add_password_user(
        "witness", AccessString.read_write("witness:*").allow("cluster|slots", "command", "info")
    )
    assert witness.secret is not None
    if store is single:
        # It may not access the keys of the smoke test.
        SmokeTest(stack, "SmokeTest", target=store, user=witness, on_failure="warn")
    for key, value in {
        "Machine": drill.state_machine.state_machine_arn,
        "Name": store.store_name,
        "Port": store.endpoint.port_text,
        "User": witness.user_name,
        "Secret": witness.secret.secret_arn,
    }.items():
        cdk.CfnOutput(stack, f"{store_id}{key}", value=value)
app.synth()
