"""The VPC that a network defines: isolated subnets in two or three zones, and a flow log."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from cdk_redis._core.acknowledgements import INLINE_POLICY, acknowledge
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.log_groups import let_logs_use_key
from cdk_redis._core.naming import description_of
from cdk_redis._core.presets import encryption_key_of
from cdk_redis._core.tokens import is_token
from cdk_redis._network.zones import preferred_zones, supported_zones, zones_of_other_regions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_kms as kms
    from constructs import Construct

DEFAULT_CIDR = "10.0.0.0/16"
# A subnet gets a sixteenth of the VPC, so that adding a third zone does not change the CIDR blocks of the first two.
# AWS accepts subnets of size /16 to /28.
_SUBNET_BITS = 4
_LARGEST_VPC, _SMALLEST_VPC = 16, 28 - _SUBNET_BITS
_ZONE_ID = re.compile(r"[a-z]{2,}[0-9]*-az[0-9]+")


def check_zones(problems: Problems, zones: int | None) -> None:
    """Check the number of zones, which is optional."""
    if zones not in (None, 2, 3):
        problems.add("zones", zones, "a network spans 2 or 3 zones")


def check_zone_ids(problems: Problems, zones: int | None, zone_ids: Sequence[str] | None, *, region: str) -> None:
    """Check that optional zone ids are two or three different ones of the Region, and as many as `zones`."""
    if zone_ids is None:
        return
    reason = 'a network spans 2 or 3 zones, given by different ids such as "use1-az1"'
    given = list(zone_ids)
    well_formed = all(is_token(zone) or _ZONE_ID.fullmatch(zone) for zone in given)
    if len(given) not in (2, 3) or not well_formed or len(set(given)) < len(given):
        problems.add("zone_ids", given, reason)
    elif zones not in (None, len(given)):
        problems.add("zones", zones, f"zone_ids has {len(given)}", "leave it out")
    if well_formed and (others := zones_of_other_regions(region, [zone for zone in zone_ids if not is_token(zone)])):
        problems.add("zone_ids", others, f"the network is in {region}, which has other zones", _zone_hint(region))


def _zone_hint(region: str) -> str:
    zones = supported_zones(region)
    return f"use for example {', '.join(zones)}" if zones else "use zones of that Region"


def check_cidr(problems: Problems, cidr: str) -> None:
    """Check that an IPv4 block can be divided into sixteen subnets."""
    reason = f'a VPC has an IPv4 block of size /{_LARGEST_VPC} to /{_SMALLEST_VPC}, such as "{DEFAULT_CIDR}"'
    if is_token(cidr):
        problems.add(
            "cidr", cidr, reason, "write it out: it is divided into subnets at synth, when a token is not known"
        )
        return
    try:
        # ipaddress also reads a netmask, which AWS and the CDK do not: "10.0.0.0/255.255.0.0".
        is_block = re.fullmatch(r"[0-9.]+/[0-9]{1,2}", cidr)
        size = ipaddress.IPv4Network(cidr).prefixlen if is_block else 0
    except ValueError:
        size = 0
    if not _LARGEST_VPC <= size <= _SMALLEST_VPC:
        problems.add("cidr", cidr, reason)


def choose_zone_ids(scope: Construct, zones: int | None, zone_ids: Sequence[str] | None) -> list[str] | None:
    """Ids of the zones of the VPC; None if the zones are chosen by name."""
    if zone_ids is not None:
        return list(zone_ids)
    preferred = preferred_zones(cdk.Stack.of(scope).region)
    return None if preferred is None else list(preferred[: zones or 3])


def create_vpc(
    scope: Construct, *, cidr: str, zones: int | None, zone_ids: Sequence[str] | None, dual_stack: bool
) -> ec2.Vpc:
    """Define a VPC with one isolated subnet in each zone, without a NAT gateway or an internet gateway."""
    vpc = _create_vpc_by_names(scope, cidr, zones) if zone_ids is None else _create_vpc_by_ids(scope, cidr, zone_ids)
    if dual_stack:
        _add_ipv6(scope, vpc)
    return vpc


def _create_vpc_by_names(scope: Construct, cidr: str, zones: int | None) -> ec2.Vpc:
    stack = cdk.Stack.of(scope)
    known = not is_token(stack.account) and not is_token(stack.region)
    vpc = _create_isolated_vpc(
        scope,
        cidr,
        # If the Region is not known, the CDK uses at most two zones; CloudFormation can select three.
        availability_zones=None if known else [cdk.Fn.select(i, cdk.Fn.get_azs()) for i in range(zones or 2)],
        max_azs=(zones or 3) if known else None,
    )
    if zones is not None and len(vpc.availability_zones) < zones:
        reason = f"{stack.region} offers this account {len(vpc.availability_zones)} zones"
        raise ConfigurationError(scope.node.path, [problem("zones", zones, reason, "leave it out, or set it to 2")])
    return vpc


def _create_vpc_by_ids(scope: Construct, cidr: str, zone_ids: Sequence[str]) -> ec2.Vpc:
    # ec2.Vpc accepts zone names only. Each name is a token that resolves to the zone name of the created subnet.
    subnets: list[ec2.CfnSubnet] = []
    names = [cdk.Lazy.string(_ZoneName(subnets, number)) for number in range(len(zone_ids))]
    vpc = _create_isolated_vpc(scope, cidr, availability_zones=names, max_azs=None)
    for subnet, zone_id in zip(vpc.isolated_subnets, zone_ids, strict=True):
        resource = cast("ec2.CfnSubnet", subnet.node.default_child)
        resource.availability_zone = None
        resource.availability_zone_id = zone_id
        subnets.append(resource)
    return vpc


def _create_isolated_vpc(
    scope: Construct, cidr: str, *, availability_zones: Sequence[str] | None, max_azs: int | None
) -> ec2.Vpc:
    subnets = ec2.SubnetConfiguration(
        name="Isolated",
        subnet_type=ec2.SubnetType.PRIVATE_ISOLATED,
        cidr_mask=ipaddress.ip_network(cidr).prefixlen + _SUBNET_BITS,
    )
    return ec2.Vpc(
        scope,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr(cidr),
        availability_zones=availability_zones,
        max_azs=max_azs,
        nat_gateways=0,
        subnet_configuration=[subnets],
        restrict_default_security_group=True,
    )


def _add_ipv6(scope: Construct, vpc: ec2.Vpc) -> None:
    """Give each subnet a /64 block of the /56 block that Amazon provides.

    ``ip_protocol`` of `ec2.Vpc` would add an egress-only internet gateway, even if no subnet has a route to it.
    """
    block = ec2.CfnVPCCidrBlock(scope, "Ipv6Block", vpc_id=vpc.vpc_id, amazon_provided_ipv6_cidr_block=True)
    # Sixteen blocks for any number of zones, so that a third zone does not change the blocks of the first two.
    blocks = cdk.Fn.cidr(cdk.Fn.select(0, vpc.vpc_ipv6_cidr_blocks), 2**_SUBNET_BITS, "64")
    for number, subnet in enumerate(vpc.isolated_subnets):
        resource = cast("ec2.CfnSubnet", subnet.node.default_child)
        resource.ipv6_cidr_block = cdk.Fn.select(number, blocks)
        resource.assign_ipv6_address_on_creation = True
        resource.add_dependency(block)


def create_flow_log(
    scope: Construct, vpc: ec2.Vpc, retention: logs.RetentionDays, kms_key: kms.IKey | None
) -> logs.LogGroup:
    """Log all traffic of the VPC."""
    kms_key = kms_key or encryption_key_of(scope)
    if kms_key is not None:
        let_logs_use_key(scope, kms_key)
    log_group = logs.LogGroup(scope, "FlowLogs", retention=retention, encryption_key=kms_key)
    flow_logs = iam.ServicePrincipal(
        "vpc-flow-logs.amazonaws.com",
        # Without it, a flow log of another account could write here ("confused deputy").
        conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account}},
    )
    role = iam.Role(
        scope,
        "FlowLogRole",
        description=description_of(f"Writes the flow log of {scope.node.path}"),
        assumed_by=cast("iam.IPrincipal", flow_logs),
    )
    vpc.add_flow_log(
        "FlowLog",
        destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group, cast("iam.IRole", role)),
        traffic_type=ec2.FlowLogTrafficType.ALL,
    )
    acknowledge(cast("Construct", role.node.find_child("DefaultPolicy")), INLINE_POLICY)
    return log_group


@jsii.implements(cdk.IStableStringProducer)
class _ZoneName:
    """Resolves to the zone name of a subnet that is placed by zone id."""

    def __init__(self, subnets: Sequence[ec2.CfnSubnet], number: int) -> None:
        self._subnets = subnets
        self._number = number

    def produce(self) -> str:
        return self._subnets[self._number].attr_availability_zone
