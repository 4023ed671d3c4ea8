"""Networks: CIDR blocks, zones, subnets, addresses, placement."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from cdk_redis import (
    ElastiCacheSubnetGroup,
    ISubnetGroup,
    MemoryDbCluster,
    NetworkType,
    RedisNetwork,
    ReplicationGroup,
    ShardPlacement,
)
from tests.compliance.refused.rows import Accepted, Refused, Scene

_ZONES = "https://docs.aws.amazon.com/ram/latest/userguide/working-with-az-ids.html"
_NAMES = "https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html"
_CIDR = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"
_SIZE = "https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html"
_MEMORYDB_ZONES = "https://docs.aws.amazon.com/memorydb/latest/devguide/subnetgroups.html"
_DUAL_STACK = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/network-type.html"
_PLACEMENT = "https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_NodeGroupConfiguration.html"
_PORTS = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/elasticache-vpc-accessing.html"


def _small(it: Scene, **given: object) -> RedisNetwork:
    """Three subnets of size /28, with 11 addresses each."""
    return RedisNetwork(it.scope, "Small", cidr="10.1.0.0/24", **given)


def _public(it: Scene) -> RedisNetwork:
    vpc = ec2.Vpc(it.scope, "Vpc", max_azs=2, nat_gateways=0)
    return RedisNetwork(
        it.scope, "Network", vpc=vpc, vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
    )


def _one_zone(it: Scene) -> RedisNetwork:
    return RedisNetwork(it.scope, "Network", vpc=ec2.Vpc(it.scope, "Vpc", max_azs=1, nat_gateways=0))


def _imported(it: Scene) -> RedisNetwork:
    vpc = ec2.Vpc.from_vpc_attributes(
        it.scope,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        isolated_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    )
    return RedisNetwork(it.scope, "Network", vpc=vpc)


def _placed(it: Scene, *zones: str, **given: object) -> ReplicationGroup:
    primary, *replicas = zones
    placement = [ShardPlacement(primary, *replicas)]
    return it.group(network=_imported(it), replicas=len(replicas), placement=placement, **given)


def _subnets(it: Scene) -> ISubnetGroup:
    return ElastiCacheSubnetGroup.from_subnet_group_name(it.scope, "Subnets", "subnets")


def _cluster_in_a_zone_without_memorydb(it: Scene) -> MemoryDbCluster:
    stack = it.other_stack()
    network = RedisNetwork(stack, "Network", zone_ids=["use1-az1", "use1-az3"])
    return MemoryDbCluster(stack, "Cluster", network=network)


REFUSED = [
    Refused(
        "The first part of a zone's id stands for its Region.",
        lambda it: RedisNetwork(it.scope, "Network", zone_ids=["use1-az1", "use1-az2"]),
        "zone_ids: got ['use1-az1', 'use1-az2'], but the network is in eu-west-1, which has other zones; "
        "use for example euw1-az1, euw1-az2, euw1-az3",
        _ZONES,
    ),
    Refused(
        "All zones are of one Region.",
        lambda it: RedisNetwork(it.scope, "Network", zone_ids=["euw1-az1", "euw2-az2"]),
        "zone_ids: got ['euw2-az2'], but the network is in eu-west-1, which has other zones; use for "
        "example euw1-az1, euw1-az2, euw1-az3",
        _ZONES,
    ),
    Refused(
        "Zones are of the Region of the network's stack.",
        lambda it: RedisNetwork(it.other_stack(), "Network", zone_ids=["euw1-az1", "euw1-az2"]),
        "zone_ids: got ['euw1-az1', 'euw1-az2'], but the network is in us-east-1, which has other zones; "
        "use for example use1-az1, use1-az2, use1-az4, use1-az5, use1-az6",
        _ZONES,
    ),
    Refused(
        "Zone ids differ.",
        lambda it: RedisNetwork(it.scope, "Network", zone_ids=["euw1-az1", "euw1-az1"]),
        "zone_ids: got ['euw1-az1', 'euw1-az1'], but a network spans 2 or 3 zones, given by different ids "
        'such as "use1-az1"',
        _ZONES,
    ),
    Refused(
        "An id of a zone is no name.",
        lambda it: RedisNetwork(it.scope, "Network", zone_ids=["eu-west-1a", "eu-west-1b"]),
        "zone_ids: got ['eu-west-1a', 'eu-west-1b'], but a network spans 2 or 3 zones, given by different "
        'ids such as "use1-az1"',
        _ZONES,
    ),
    Refused(
        "A network has two zones at least.",
        lambda it: RedisNetwork(it.scope, "Network", zone_ids=["euw1-az1"]),
        "zone_ids: got ['euw1-az1'], but a network spans 2 or 3 zones, given by different ids such as \"use1-az1\"",
        "the library",
    ),
    Refused(
        "A network has three zones at most.",
        lambda it: RedisNetwork(it.scope, "Network", zones=4),
        "zones: got 4, but a network spans 2 or 3 zones",
        "the library",
    ),
    Refused(
        "The number of zones is that of the zone ids.",
        lambda it: RedisNetwork(it.scope, "Network", zones=3, zone_ids=["euw1-az1", "euw1-az2"]),
        "zones: got 3, but zone_ids has 2; leave it out",
        "the library",
    ),
    Refused(
        "MemoryDB does not have every zone of a Region.",
        _cluster_in_a_zone_without_memorydb,
        "network: got '.../Elsewhere/Network', but MemoryDB does not support subnets in use1-az3; give the "
        "network zone_ids from use1-az1, use1-az2, use1-az4, use1-az5, use1-az6",
        _MEMORYDB_ZONES,
    ),
    Refused(
        "A VPC has a block of size /16 or smaller.",
        lambda it: RedisNetwork(it.scope, "Network", cidr="10.0.0.0/8"),
        "cidr: got '10.0.0.0/8', but a VPC has an IPv4 block of size /16 to /24, such as \"10.0.0.0/16\"",
        _CIDR,
    ),
    Refused(
        "A subnet has a block of size /28 or larger, and gets a sixteenth of the VPC.",
        lambda it: RedisNetwork(it.scope, "Network", cidr="10.0.0.0/25"),
        "cidr: got '10.0.0.0/25', but a VPC has an IPv4 block of size /16 to /24, such as \"10.0.0.0/16\"",
        _SIZE,
    ),
    Refused(
        "A CIDR block begins with its first address.",
        lambda it: RedisNetwork(it.scope, "Network", cidr="10.0.0.1/16"),
        "cidr: got '10.0.0.1/16', but a VPC has an IPv4 block of size /16 to /24, such as \"10.0.0.0/16\"",
        _CIDR,
    ),
    Refused(
        "A CIDR block has a prefix length, not a netmask.",
        lambda it: RedisNetwork(it.scope, "Network", cidr="10.0.0.0/255.255.0.0"),
        "cidr: got '10.0.0.0/255.255.0.0', but a VPC has an IPv4 block of size /16 to /24, such as \"10.0.0.0/16\"",
        _CIDR,
    ),
    Refused(
        "A store is never in public subnets.",
        _public,
        "vpc_subnets: got 'public subnets', but a store is never reachable from the internet; select "
        "isolated subnets, or private ones",
        "https://docs.aws.amazon.com/securityhub/latest/userguide/elasticache-controls.html",
    ),
    Refused(
        "A network has subnets in two zones.",
        _one_zone,
        "vpc_subnets: got '1 subnets in one zone', but a network needs subnets in 2 zones, so that a store "
        "survives the loss of one",
        "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html",
    ),
    Refused(
        "A store has a network or a VPC.",
        lambda it: it.group(network=None),
        "network: got None, but a store needs a RedisNetwork or a VPC; set `network` or `vpc`",
        "the library",
    ),
    Refused(
        "A store has a network or a VPC, not both.",
        lambda it: it.group(vpc=it.network.vpc),
        "vpc: got 'a VPC', but `network` is given, which has a VPC; leave out one of the two",
        "the library",
    ),
    Refused(
        "Subnets are selected from a VPC.",
        lambda it: it.serverless(vpc_subnets=ec2.SubnetSelection(one_per_az=True)),
        "vpc_subnets: got 'a selection', but there is no `vpc` to select from; give the `vpc` as well",
        "the library",
    ),
    Refused(
        "An existing VPC has its own zones.",
        lambda it: RedisNetwork(it.scope, "Network", vpc=it.network.vpc, zones=2),
        "zones: got 2, but it is for a new VPC, and `vpc` is given; leave it out",
        "the library",
    ),
    # Addresses.
    Refused(
        "The subnets have an address for each node of a replication group.",
        lambda it: it.group(network=_small(it), shards=20, replicas=1),
        "network: got '.../Small', but the store has 40 nodes, and the network's subnets have 33 "
        "addresses; use larger subnets, or fewer nodes",
        _SIZE,
    ),
    Refused(
        "The subnets have an address for each node of a cluster.",
        lambda it: it.cluster(network=_small(it), shards=12, replicas=2),
        "network: got '.../Small', but the store has 36 nodes, and the network's subnets have 33 "
        "addresses; use larger subnets, or fewer nodes",
        _SIZE,
    ),
    # IPv6.
    Refused(
        "A dual-stack replication group needs subnets with IPv6 addresses.",
        lambda it: it.group(network_type=NetworkType.DUAL_STACK),
        "network_type: got 'dual_stack', but the network's subnets have no IPv6 addresses; use "
        "RedisNetwork(..., dual_stack=True), or a `vpc` whose subnets have IPv6 addresses",
        _DUAL_STACK,
    ),
    Refused(
        "An IPv6 replication group needs subnets with IPv6 addresses.",
        lambda it: it.group(network_type="ipv6"),
        "network_type: got 'ipv6', but the network's subnets have no IPv6 addresses; use RedisNetwork(..., "
        "dual_stack=True), or a `vpc` whose subnets have IPv6 addresses",
        _DUAL_STACK,
    ),
    Refused(
        "A dual-stack serverless cache needs subnets with IPv6 addresses.",
        lambda it: it.serverless(network_type="dual_stack"),
        "network_type: got 'dual_stack', but the network's subnets have no IPv6 addresses; use "
        "RedisNetwork(..., dual_stack=True), or a `vpc` whose subnets have IPv6 addresses",
        _DUAL_STACK,
    ),
    Refused(
        "A dual-stack cluster needs subnets with IPv6 addresses.",
        lambda it: it.cluster(network_type="dual_stack"),
        "network_type: got 'dual_stack', but the network's subnets have no IPv6 addresses; use "
        "RedisNetwork(..., dual_stack=True), or a `vpc` whose subnets have IPv6 addresses",
        _DUAL_STACK,
    ),
    Refused(
        "Clients of an IPv4 store discover IPv4 addresses.",
        lambda it: it.group(ip_discovery="ipv6"),
        "ip_discovery: got 'ipv6', but the nodes have no such addresses with network_type ipv4; leave it "
        "out, or use NetworkType.DUAL_STACK",
        _DUAL_STACK,
    ),
    Refused(
        "Clients of an IPv6 store discover IPv6 addresses.",
        lambda it: it.cluster(
            network=RedisNetwork(it.scope, "Dual", dual_stack=True), network_type="ipv6", ip_discovery="ipv4"
        ),
        "ip_discovery: got 'ipv4', but the nodes have no such addresses with network_type ipv6; leave it "
        "out, or use NetworkType.DUAL_STACK",
        _DUAL_STACK,
    ),
    # Ports.
    Refused(
        "The services reserve ports below 1150.",
        lambda it: it.group(port=1149),
        "port: got 1149, but the services listen on 1150 to 65535, 8005 excepted",
        _PORTS,
    ),
    Refused(
        "The services reserve port 8005.",
        lambda it: it.cluster(port=8005),
        "port: got 8005, but the services listen on 1150 to 65535, 8005 excepted",
        _PORTS,
    ),
    Refused(
        "A port is 65535 at most.",
        lambda it: it.cluster(port=65536),
        "port: got 65536, but the services listen on 1150 to 65535, 8005 excepted",
        _PORTS,
    ),
    # Placement.
    Refused(
        "The zones of a placement are of the store's Region.",
        lambda it: _placed(it, "us-east-1a", "us-east-1b"),
        "2 problems\n  - placement: got 'us-east-1a', but the store is in eu-west-1; use a zone of that "
        "Region\n  - placement: got 'us-east-1b', but the store is in eu-west-1; use a zone of that Region",
        _NAMES,
    ),
    Refused(
        "The zones of a placement are of the store's Region, also with an existing subnet group.",
        lambda it: _placed(it, "eu-west-1a", "us-east-1b", subnet_group=_subnets(it)),
        "placement: got 'us-east-1b', but the store is in eu-west-1; use a zone of that Region",
        _NAMES,
    ),
    Refused(
        "The zones of a placement have subnets.",
        lambda it: _placed(it, "eu-west-1a", "eu-west-1c"),
        "placement: got 'eu-west-1c', but the network's subnets are in eu-west-1a, eu-west-1b",
        _PLACEMENT,
    ),
    Refused(
        "A placement names zones; an id of a zone is no name.",
        lambda it: _placed(it, "euw1-az1", "euw1-az2"),
        "2 problems\n  - placement: got 'euw1-az1', but the network's subnets are in eu-west-1a, "
        "eu-west-1b\n  - placement: got 'euw1-az2', but the network's subnets are in eu-west-1a, eu-west-1b",
        _PLACEMENT,
    ),
    Refused(
        "Automatic failover needs two zones.",
        lambda it: _placed(it, "eu-west-1a", "eu-west-1a"),
        "placement[0]: got ('eu-west-1a', 'eu-west-1a'), but automatic failover needs nodes in two zones "
        "or more; place a replica in another zone",
        "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html",
    ),
    Refused(
        "A placement has a zone for each replica.",
        lambda it: it.group(network=_imported(it), replicas=2, placement=[ShardPlacement("eu-west-1a", "eu-west-1b")]),
        "placement[0]: got ('eu-west-1a', 'eu-west-1b'), but a shard has a primary and 2 replicas; set one "
        "zone for each",
        _PLACEMENT,
    ),
    Refused(
        "A placement has each shard.",
        lambda it: it.group(network=_imported(it), shards=2, placement=[ShardPlacement("eu-west-1a", "eu-west-1b")]),
        "placement: got '1 shards', but the store has 2; place each shard",
        _PLACEMENT,
    ),
]

ACCEPTED = [
    Accepted(
        "The zone ids of the Region can be given.",
        lambda it: RedisNetwork(it.scope, "Network", zone_ids=["euw1-az1", "euw1-az3"]),
    ),
    Accepted(
        "A zone id may be a token.",
        lambda it: RedisNetwork(
            it.scope, "Network", zone_ids=[cdk.Fn.import_value("zone-one"), cdk.Fn.import_value("zone-two")]
        ),
    ),
    Accepted(
        "Subnets of size /28 have addresses for 22 nodes.",
        lambda it: it.group(network=_small(it, zone_ids=["euw1-az1", "euw1-az2"]), shards=11, replicas=1),
    ),
    Accepted(
        "The addresses of imported subnets are not known.",
        lambda it: it.cluster(network=_imported(it), shards=30, replicas=2),
    ),
    Accepted(
        "A large network has addresses for 500 nodes.",
        lambda it: it.group(shards=83, replicas=5),
    ),
    Accepted(
        "A VPC can be as small as /24.",
        lambda it: it.cluster(network=_small(it)),
    ),
    Accepted(
        "A dual-stack store is placed in dual-stack subnets.",
        lambda it: it.group(
            network=RedisNetwork(it.scope, "Dual", dual_stack=True), network_type="dual_stack", ip_discovery="ipv6"
        ),
    ),
    Accepted(
        "The zones of a placement have subnets.",
        lambda it: _placed(it, "eu-west-1a", "eu-west-1b"),
    ),
    Accepted(
        "The services listen on 1150 and above.",
        lambda it: it.group(port=1150),
    ),
    Accepted(
        "The services listen up to 65535.",
        lambda it: it.cluster(port=65535),
    ),
]
