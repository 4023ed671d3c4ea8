"""A Redis OSS serverless cache with usage limits, and a name in a private zone.

Clients that verify certificates must connect to the cache's own name: it is in the certificate, the CNAME is not.
Counterpart of cloudposse/elasticache-redis, examples/serverless.

cdk deploy --app "python3 examples/elasticache_serverless.py"
"""

import aws_cdk as cdk
from aws_cdk import aws_route53 as route53

from cdk_redis import Engine, RedisNetwork, ServerlessCache, SmokeTest, UsageLimits

app = cdk.App()
stack = cdk.Stack(app, "Serverless", env=cdk.Environment(region="us-east-2"))
network = RedisNetwork(stack, "Network", zones=2, cidr="172.16.0.0/16")
cache = ServerlessCache(
    stack,
    "Cache",
    network=network,
    engine=Engine.redis("7"),
    usage_limits=UsageLimits.at_most(data_storage_gb=1, ecpu_per_second=5_000),
)
zone = route53.PrivateHostedZone(stack, "Zone", zone_name="stores.example.internal", vpc=network.vpc)
route53.CnameRecord(stack, "Name", zone=zone, record_name="redis-serverless", domain_name=cache.endpoint.address)
SmokeTest(stack, "SmokeTest", target=cache)
app.synth()
