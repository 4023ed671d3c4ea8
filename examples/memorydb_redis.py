"""Redis OSS on MemoryDB: data tiering, an IAM administrator, a reader with a password, and a topic for events.

cdk deploy --app "python3 examples/memorydb_redis.py"
"""

import aws_cdk as cdk
from aws_cdk import aws_sns as sns

from cdk_redis import (
    AccessString,
    Engine,
    MaintenanceWindow,
    MemoryDbCluster,
    RedisNetwork,
    Snapshots,
    SnapshotWindow,
    acknowledge,
)

app = cdk.App()
stack = cdk.Stack(app, "MemoryDbRedis", env=cdk.Environment(region="eu-west-1"))
events = sns.Topic(stack, "Events", enforce_ssl=True)
cluster = MemoryDbCluster(
    stack,
    "Cluster",
    network=RedisNetwork(stack, "Network", zones=3),
    engine=Engine.redis("7.0"),
    node_type="db.r6gd.xlarge",
    shards=2,
    replicas=2,
    parameters={"activedefrag": "yes"},
    maintenance_window=MaintenanceWindow("sun:23:00-mon:01:30"),
    snapshots=Snapshots.daily(retention_days=7, window=SnapshotWindow("05:00-09:00")),
    notification_topic=events,
    description="Example MemoryDB cluster",
)
admin = cluster.add_iam_user("admin", AccessString.all_access())
reader = cluster.add_password_user("readonly", AccessString.read_only("*"))
acknowledge(admin, {"RedisChecks-WideAccess": "an administrator's user"})
acknowledge(events, {"SNSEncryptedKMS": "AWS documents no encrypted topics for MemoryDB"})
acknowledge(reader, {"SecretsManagerRotationEnabled": "an example: its clients read the password at their start"})
cdk.Tags.of(app).add("Example", "memorydb-redis")
app.synth()
