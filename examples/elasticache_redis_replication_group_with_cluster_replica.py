"""Two Redis OSS replication groups, one that sends its slow log and one with an AUTH token, each with one more replica.

The number of replicas is a parameter here; in Terraform's module a cluster of one node joins the group.
Counterpart of terraform-aws-modules/elasticache, examples/redis-replication-group-with-cluster-replica.

cdk deploy --app "python3 examples/elasticache_redis_replication_group_with_cluster_replica.py"
"""

import aws_cdk as cdk

from cdk_redis import Authentication, Engine, LogDelivery, MaintenanceWindow, RedisNetwork, ReplicationGroup, SmokeTest

app = cdk.App()
stack = cdk.Stack(app, "RedisReplicas", env=cdk.Environment(region="eu-west-1"))
network = RedisNetwork(stack, "Network", zones=3)
logged = ReplicationGroup(
    stack,
    "Logged",
    network=network,
    engine=Engine.redis("7.1"),
    node_type="cache.t4g.small",
    replicas=2,
    log_delivery=[LogDelivery.slow_log()],
    maintenance_window=MaintenanceWindow("sun:05:00-sun:09:00"),
    parameters={"latency-tracking": "yes"},
)
cache = ReplicationGroup(
    stack,
    "Cache",
    network=network,
    engine=Engine.redis("7.1"),
    node_type="cache.t4g.small",
    replicas=2,
    authentication=Authentication.auth_token(),
    maintenance_window=MaintenanceWindow("sun:05:00-sun:09:00"),
    parameters={"latency-tracking": "yes"},
)
SmokeTest(stack, "LoggedSmokeTest", target=logged)
SmokeTest(stack, "SmokeTest", target=cache)
cdk.Tags.of(app).add("Example", "redis-replication-group-with-cluster-replica")
app.synth()
