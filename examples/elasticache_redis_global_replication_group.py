"""A Redis OSS replication group in one Region, and its copy in another.

Counterpart of terraform-aws-modules/elasticache, examples/redis-global-replication-group.

cdk deploy --all --app "python3 examples/elasticache_redis_global_replication_group.py"
"""

import aws_cdk as cdk

from cdk_redis import Engine, GlobalDatastore, RedisNetwork, ReplicationGroup, SecondaryReplicationGroup, SmokeTest

app = cdk.App()
primary = cdk.Stack(app, "Primary", env=cdk.Environment(region="us-east-1"))
cache = ReplicationGroup(
    primary,
    "Cache",
    network=RedisNetwork(primary, "Network", zones=3),
    engine=Engine.redis("7.1"),
    node_type="cache.r7g.large",
)
everywhere = GlobalDatastore(primary, "Everywhere", primary=cache)
SmokeTest(primary, "SmokeTest", target=cache)

secondary = cdk.Stack(app, "Secondary", env=cdk.Environment(region="eu-west-1"))
SecondaryReplicationGroup(
    secondary, "Cache", network=RedisNetwork(secondary, "Network", zones=3), global_datastore=everywhere
)
cdk.Tags.of(app).add("Example", "redis-global-replication-group")
app.synth()
