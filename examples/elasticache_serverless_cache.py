"""Two serverless caches, Redis OSS and Valkey, with usage limits, a customer managed key, and a user that can read.

Counterpart of terraform-aws-modules/elasticache, examples/serverless-cache.

cdk deploy --app "python3 examples/elasticache_serverless_cache.py"
"""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms

from cdk_redis import AccessString, Engine, RedisNetwork, ServerlessCache, SmokeTest, Snapshots, UsageLimits

app = cdk.App()
stack = cdk.Stack(app, "Serverless", env=cdk.Environment(region="eu-west-1"))
network = RedisNetwork(stack, "Network", zones=3)
key = kms.Key(stack, "Key", enable_key_rotation=True)
for name, engine in {"Redis": Engine.redis("7"), "Valkey": Engine.valkey("7")}.items():
    cache = ServerlessCache(
        stack,
        name,
        network=network,
        engine=engine,
        usage_limits=UsageLimits.at_most(data_storage_gb=2, ecpu_per_second=1_000),
        snapshots=Snapshots.daily(retention_days=7, at="22:00"),
        kms_key=key,
        description=f"{name} serverless cache",
    )
    cache.add_iam_user("reader", AccessString.read_only("*"))
    SmokeTest(stack, f"{name}SmokeTest", target=cache)
cdk.Tags.of(app).add("Example", "serverless-cache")
app.synth()
