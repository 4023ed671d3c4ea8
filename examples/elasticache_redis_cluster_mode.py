"""Redis OSS in cluster mode, two shards of four nodes over three zones, with IAM users and password users.

Counterpart of terraform-aws-modules/elasticache, examples/redis-cluster-mode.

cdk deploy --app "python3 examples/elasticache_redis_cluster_mode.py"
"""

import aws_cdk as cdk

from cdk_redis import AccessString, Engine, MaintenanceWindow, RedisNetwork, ReplicationGroup, SmokeTest, acknowledge

app = cdk.App()
stack = cdk.Stack(app, "RedisClusterMode", env=cdk.Environment(region="eu-west-1"))
cache = ReplicationGroup(
    stack,
    "Cache",
    network=RedisNetwork(stack, "Network", zones=3),
    engine=Engine.redis("7.1"),
    node_type="cache.t4g.small",
    shards=2,
    replicas=3,
    maintenance_window=MaintenanceWindow("sun:05:00-sun:09:00"),
    parameters={"latency-tracking": "yes"},
)
# Passwords are generated in Secrets Manager.
for name in ("moe", "curly"):
    user = cache.add_password_user(name, AccessString.all_access())
    acknowledge(user, {"SecretsManagerRotationEnabled": "an example: its clients read the password at their start"})
    acknowledge(user, {"RedisChecks-WideAccess": "as in the counterpart"})
acknowledge(cache.add_iam_user("larry", AccessString.all_access()), {"RedisChecks-WideAccess": "as in the counterpart"})
SmokeTest(stack, "SmokeTest", target=cache)
cdk.Tags.of(app).add("Example", "redis-cluster-mode")
app.synth()
