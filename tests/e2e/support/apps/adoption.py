"""App with a replication group of L1 constructs, or, with `-c deployed=FILE`, with the construct that adopts it.

The L1 constructs say what most apps say: NumCacheClusters, no port, no encryption at rest.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_secretsmanager as secretsmanager

from cdk_redis import (
    Authentication,
    ElastiCacheParameterGroup,
    ElastiCacheSubnetGroup,
    Engine,
    ExistingResource,
    RedisNetwork,
    ReplicationGroup,
    SmokeTest,
)

app = cdk.App()
name, _, version = str(app.node.get_context("engine")).partition(":")
family = f"{name}{version.split('.')[0]}"
deployed = app.node.try_get_context("deployed")
stack = cdk.Stack(app, "Adoption")
network = RedisNetwork(stack, "Network", zones=2)
group = ec2.SecurityGroup(stack, "Group", vpc=network.vpc, allow_all_outbound=False)
subnets = elasticache.CfnSubnetGroup(
    stack, "Subnets", description="Orders", subnet_ids=[subnet.subnet_id for subnet in network.subnets]
)
parameters = elasticache.CfnParameterGroup(
    stack,
    "Parameters",
    cache_parameter_group_family=family,
    description="Orders",
    properties={"maxmemory-policy": "noeviction"},
)
token = secretsmanager.Secret(
    stack,
    "Token",
    generate_secret_string=secretsmanager.SecretStringGenerator(
        secret_string_template="{}", generate_string_key="password", exclude_punctuation=True
    ),
)
if not deployed:
    cache = elasticache.CfnReplicationGroup(
        stack,
        "Cache",
        replication_group_description="Orders",
        engine=name,
        engine_version=version,
        cache_node_type="cache.t4g.small",
        num_cache_clusters=2,
        automatic_failover_enabled=True,
        cache_parameter_group_name=parameters.ref,
        cache_subnet_group_name=subnets.ref,
        security_group_ids=[group.security_group_id],
        transit_encryption_enabled=True,
        auth_token=token.secret_value_from_json("password").unsafe_unwrap(),
    )
    port = cache.attr_primary_end_point_port
else:
    store = ReplicationGroup(
        stack,
        "Cache",
        network=network,
        engine=Engine.of(name, version, elasticache_family=family),
        subnet_group=ElastiCacheSubnetGroup.from_subnet_group_name(stack, "ExistingSubnets", subnets.ref),
        parameter_group=ElastiCacheParameterGroup.from_parameter_group_name(stack, "ExistingGroup", parameters.ref),
        security_groups=[group],
        authentication=Authentication.auth_token(token),
        removal_policy=cdk.RemovalPolicy.DESTROY,
        adopt=ExistingResource.from_template(str(deployed), "Cache"),
        unsafe_unencrypted_at_rest=name == "redis",
    )
    SmokeTest(stack, "SmokeTest", target=store)
    port = store.endpoint.port_text
    cdk.CfnOutput(stack, "Name", value=store.store_name)
cdk.CfnOutput(stack, "Port", value=port)
cdk.CfnOutput(stack, "Secret", value=token.secret_arn)
app.synth()
