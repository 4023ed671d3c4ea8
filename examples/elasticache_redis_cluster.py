"""A single Redis OSS node with changed parameters, for development.

Counterpart of terraform-aws-modules/elasticache, examples/redis-cluster.

cdk deploy --app "python3 examples/elasticache_redis_cluster.py"
"""

import aws_cdk as cdk

from cdk_redis import Engine, MaintenanceWindow, RedisNetwork, ReplicationGroup, SmokeTest, acknowledge

app = cdk.App()
stack = cdk.Stack(app, "RedisCluster", env=cdk.Environment(region="eu-west-1"))
cache = ReplicationGroup(
    stack,
    "Cache",
    network=RedisNetwork(stack, "Network", zones=3),
    engine=Engine.redis("7.1"),
    node_type="cache.t4g.small",
    replicas=0,
    maintenance_window=MaintenanceWindow("sun:05:00-sun:09:00"),
    parameters={"latency-tracking": "yes"},
)
SmokeTest(stack, "SmokeTest", target=cache)
acknowledge(cache.resource, {"AwsSolutions-AEC4": "as its counterpart in Terraform, it has one node"})
cdk.Tags.of(app).add("Example", "redis-cluster")
app.synth()
