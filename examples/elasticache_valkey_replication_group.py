"""A Valkey primary with a replica, and one AUTH token for all clients.

Counterpart of terraform-aws-modules/elasticache, examples/valkey-replication-group.

cdk deploy --app "python3 examples/elasticache_valkey_replication_group.py"
"""

import aws_cdk as cdk

from cdk_redis import Authentication, Engine, MaintenanceWindow, RedisNetwork, ReplicationGroup, SmokeTest

app = cdk.App()
stack = cdk.Stack(app, "ValkeyReplicationGroup", env=cdk.Environment(region="eu-west-1"))
cache = ReplicationGroup(
    stack,
    "Cache",
    network=RedisNetwork(stack, "Network", zones=3),
    engine=Engine.valkey("7.2"),
    node_type="cache.t4g.small",
    # Generated in Secrets Manager.
    authentication=Authentication.auth_token(),
    maintenance_window=MaintenanceWindow("sun:05:00-sun:09:00"),
    parameters={"latency-tracking": "yes"},
)
SmokeTest(stack, "SmokeTest", target=cache)
cdk.Tags.of(app).add("Example", "valkey-replication-group")
app.synth()
