"""A single Redis OSS node that notifies of expired keys and sends its engine log, with a name in a private zone.

Clients that verify certificates must connect to the store's own name: it is in the certificate, the CNAME is not.
Counterpart of cloudposse/elasticache-redis, examples/complete.

cdk deploy --app "python3 examples/elasticache_complete.py"
"""

import aws_cdk as cdk
from aws_cdk import aws_route53 as route53

from cdk_redis import Engine, LogDelivery, RedisNetwork, ReplicationGroup, SmokeTest, acknowledge

app = cdk.App()
stack = cdk.Stack(app, "Complete", env=cdk.Environment(region="us-east-2"))
network = RedisNetwork(stack, "Network", zones=2, cidr="172.16.0.0/16")
cache = ReplicationGroup(
    stack,
    "Cache",
    network=network,
    engine=Engine.redis("7.0"),
    node_type="cache.m6g.large",
    replicas=0,
    parameters={"notify-keyspace-events": "lK"},
    log_delivery=[LogDelivery.engine_log()],
)
zone = route53.PrivateHostedZone(stack, "Zone", zone_name="stores.example.internal", vpc=network.vpc)
route53.CnameRecord(stack, "Name", zone=zone, record_name="redis-test", domain_name=cache.endpoint.address)
SmokeTest(stack, "SmokeTest", target=cache)
acknowledge(cache.resource, {"AwsSolutions-AEC4": "as its counterpart in Terraform, it has one node"})
app.synth()
