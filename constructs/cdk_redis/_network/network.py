"""The network: isolated subnets for stores, and the security groups that say who may talk to whom.

Example:
    >>> import aws_cdk as cdk
    >>> network = RedisNetwork(cdk.Stack(), "Network")
    >>> len(network.subnets)
    2

Defines a VPC with one isolated subnet in each of two or three zones, no NAT gateway and no internet gateway, a flow
log, and a security group for clients; or takes an existing VPC and defines that security group alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from types import NoneType
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_redis._core.checks import check_flags
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._network.security_groups import create_security_group, description_of
from cdk_redis._network.vpc import (
    DEFAULT_CIDR,
    check_cidr,
    check_zone_ids,
    check_zones,
    choose_zone_ids,
    create_flow_log,
    create_vpc,
)


class RedisNetwork(Construct):
    """Where stores and their clients meet.

    Attributes:
        vpc: The VPC, defined here or given.
        subnets: Subnets for stores, in at least two zones; no public ones.
        subnet_selection: The same, for whatever takes a selection: a function, a service.
        client_security_group: Security group to hand to clients. It may reach the stores of this network on their
            ports, and nothing else.
        flow_log_group: Log group of the VPC's flow log; None for a given VPC. It outlives the stack.
        owns_vpc: Whether the VPC is defined here.
        zone_ids: Ids of the zones of the subnets; None where they are placed by names, whose ids are not
            known before the deployment.
        secrets_endpoint: Interface VPC endpoint for Secrets Manager; None if there is none yet.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        zones: int | None = None,
        zone_ids: Sequence[str] | None = None,
        cidr: str = DEFAULT_CIDR,
        dual_stack: bool | None = None,
        secrets_endpoint: bool | ec2.IInterfaceVpcEndpoint | None = None,
        flow_log_retention: logs.RetentionDays | None = None,
    ) -> None:
        """Define the network.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            vpc: An existing VPC to use. Default: - one is defined.
            vpc_subnets: Which subnets of the existing VPC; public ones are refused. Default: - the isolated subnets
                if it has any, else the private ones with egress.
            zones: Availability zones that the defined VPC spans, 2 or 3. Default: - 3, or as many as there are; 2 in
                a stack whose account and Region are not known.
            zone_ids: Ids of the zones that the defined VPC spans, 2 or 3, such as ``["use1-az1", "use1-az2"]``: an id
                means the same zone in every account, which a name does not. Changing them replaces the subnets.
                Default: - in Regions where MemoryDB leaves zones out, ids of zones where it runs; elsewhere the zones
                are chosen by name.
            cidr: IPv4 addresses of the defined VPC, a block of size /16 to /24. Each subnet takes a sixteenth.
                Default: 10.0.0.0/16.
            dual_stack: Whether the subnets have IPv6 addresses as well as IPv4 addresses. Stores with
                ``NetworkType.DUAL_STACK`` or ``NetworkType.IPV6`` need them. With True, each subnet of the defined VPC
                gets a /64 block of a /56 block that Amazon provides, and no route to the internet. For an existing
                VPC, state here what `ipv6` cannot find out. Default: - the defined VPC has IPv4 only; an existing VPC
                has what its subnets in this app show.
            secrets_endpoint: How the subnets reach Secrets Manager, where passwords are kept: True to create an
                interface VPC endpoint, for which AWS charges by the hour and zone, or an endpoint that exists in the
                VPC. A VPC can have one only, because two would answer to the same host name. Nobody can connect to a
                created endpoint until a rule allows it:
                ``function.connections.allow_to_default_port(network.secrets_endpoint)``.
                Default: - created in the defined VPC when a smoke test or failover drill needs it; with False, never.
            flow_log_retention: How long the defined VPC's flow log is kept. Default: - one year, which is what
                compliance rules ask for.

        Raises:
            ConfigurationError: If a parameter is not allowed, or the subnets are public or in fewer than two zones.
        """
        super().__init__(scope, id)
        self._check(vpc, vpc_subnets, zones, zone_ids, cidr, dual_stack, secrets_endpoint, flow_log_retention)
        self.owns_vpc = vpc is None
        self.flow_log_group: logs.LogGroup | None = None
        self.zone_ids: list[str] | None = None
        if vpc is None:
            self.zone_ids = choose_zone_ids(self, zones, zone_ids)
            vpc = create_vpc(self, cidr=cidr, zones=zones, zone_ids=self.zone_ids, dual_stack=bool(dual_stack))
            self.flow_log_group = create_flow_log(self, vpc, flow_log_retention or logs.RetentionDays.ONE_YEAR)
        self.vpc: ec2.IVpc = vpc
        self.subnets: list[ec2.ISubnet] = self._select_subnets(vpc_subnets)
        self.subnet_selection = ec2.SubnetSelection(subnets=self.subnets)
        self.client_security_group: ec2.SecurityGroup = create_security_group(
            self, "ClientSecurityGroup", self.vpc, f"Clients of the stores in {self.node.path}"
        )
        self._dual_stack = dual_stack
        self.secrets_endpoint: ec2.IInterfaceVpcEndpoint | None = None
        if secrets_endpoint is True:
            self.secrets_endpoint = self._create_secrets_endpoint()
        elif secrets_endpoint:
            self.secrets_endpoint = secrets_endpoint
        self._secrets_endpoint_given = secrets_endpoint

    @property
    def ipv6(self) -> bool | None:
        """Whether the subnets have IPv6 addresses.

        None where that is not known: subnets that are imported or looked up, in a network without `dual_stack`.
        """
        if self._dual_stack is not None:
            return self._dual_stack
        found = [_has_ipv6(subnet) for subnet in self.subnets]
        return False if False in found else None if None in found else True

    def require_secrets_endpoint(self) -> ec2.IInterfaceVpcEndpoint:
        """The endpoint for Secrets Manager; created on first use where `secrets_endpoint` was left out.

        Raises:
            ConfigurationError: If there is none, and the VPC was given or `secrets_endpoint` is False.
        """
        if self.secrets_endpoint is None:
            given = self._secrets_endpoint_given
            if given is False or not self.owns_vpc:
                reason = "a password is read from Secrets Manager, and the subnets need an endpoint to reach it"
                hint = "set secrets_endpoint=True to create one, or give the one that the VPC has"
                raise ConfigurationError(self.node.path, [problem("secrets_endpoint", given, reason, hint)])
            self.secrets_endpoint = self._create_secrets_endpoint()
        return self.secrets_endpoint

    def create_store_security_group(
        self, scope: Construct, id: str, *, port: int, last_port: int | None = None
    ) -> ec2.SecurityGroup:
        """Define a security group for a store: the network's clients get in on the store's port, and nothing gets out.

        The rules stand beside the store's group, also the one that lets clients out: the store's stack depends on the
        network's stack, and never the other way.

        Args:
            scope: Construct it is defined in, usually the store.
            id: Id within the scope.
            port: TCP port of the store.
            last_port: Last of a range of ports that begins with `port`. Default: - `port` alone.
        """
        ports = ec2.Port.tcp(port) if last_port is None else ec2.Port.tcp_range(port, last_port)
        group = create_security_group(scope, id, self.vpc, f"Store {scope.node.path}")
        group.add_ingress_rule(self.client_security_group, ports, description_of(f"From clients of {self.node.path}"))
        ec2.CfnSecurityGroupEgress(
            group,
            "FromClients",
            group_id=self.client_security_group.security_group_id,
            destination_security_group_id=group.security_group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port if last_port is None else last_port,
            description=description_of(f"To store {scope.node.path}"),
        )
        return group

    def _check(
        self,
        vpc: ec2.IVpc | None,
        vpc_subnets: ec2.SubnetSelection | None,
        zones: int | None,
        zone_ids: Sequence[str] | None,
        cidr: str,
        dual_stack: bool | None,
        secrets_endpoint: object,
        flow_log_retention: logs.RetentionDays | None,
    ) -> None:
        problems = Problems(self)
        if dual_stack is not None:
            check_flags(problems, dual_stack=dual_stack)
        if not isinstance(secrets_endpoint, (bool, NoneType)) and not hasattr(secrets_endpoint, "vpc_endpoint_id"):
            problems.add("secrets_endpoint", secrets_endpoint, "it is True, False or an ec2.IInterfaceVpcEndpoint")
        _check_kinds(problems, vpc, vpc_subnets, flow_log_retention)
        if vpc is None:
            check_zones(problems, zones)
            check_zone_ids(problems, zones, zone_ids)
            check_cidr(problems, cidr)
            if vpc_subnets is not None:
                problems.add("vpc_subnets", "a selection", "there is no vpc to select from", "give the vpc as well")
        else:
            own_cidr = None if cidr == DEFAULT_CIDR else cidr
            given = (
                ("zones", zones),
                ("zone_ids", zone_ids),
                ("cidr", own_cidr),
                ("flow_log_retention", flow_log_retention),
            )
            for parameter, value in given:
                if value is not None:
                    problems.add(parameter, value, "a VPC that exists has its own", "leave it out")
        problems.raise_if_any()

    def _select_subnets(self, selection: ec2.SubnetSelection | None) -> list[ec2.ISubnet]:
        selected = self._selected(selection or self._default_selection())
        problems = Problems(self)
        count = len(selected.subnets)
        # By id: the VPC does not know its own subnets again when they were imported on their own.
        public = {subnet.subnet_id for subnet in self.vpc.public_subnets}
        if not public.isdisjoint(subnet.subnet_id for subnet in selected.subnets):
            hint = "select isolated subnets, or private ones"
            problems.add("vpc_subnets", "public subnets", "a store is never reachable from the internet", hint)
        # Before the CDK CLI has looked a VPC up, its subnets are made up.
        elif not selected.is_pending_lookup and _zones(self, selected.subnets) < 2:
            reason = "a network spans at least 2 zones, so that a store outlives one"
            problems.add("vpc_subnets", f"{count} subnets in one zone" if count else "no subnets", reason)
        problems.raise_if_any()
        return list(selected.subnets)

    def _selected(self, selection: ec2.SubnetSelection) -> ec2.SelectedSubnets:
        try:
            return self.vpc.select_subnets(
                availability_zones=selection.availability_zones,
                one_per_az=selection.one_per_az,
                subnet_filters=selection.subnet_filters,
                subnet_group_name=selection.subnet_group_name,
                subnets=selection.subnets,
                subnet_type=selection.subnet_type,
            )
        except RuntimeError as error:
            # The CDK knows best what a VPC lacks: its first line says so, after a code for the error.
            reason = re.sub(r"^\w+: ", "", str(error).strip().splitlines()[0])
            reason = reason[:1].lower() + reason[1:]
            raise ConfigurationError(self.node.path, [problem("vpc_subnets", "a selection", reason)]) from None

    def _default_selection(self) -> ec2.SubnetSelection:
        if self.vpc.isolated_subnets:
            return ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        if self.vpc.private_subnets:
            return ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
        hint = "name the subnets in vpc_subnets, or leave out vpc to get a VPC made for stores"
        raise ConfigurationError(
            self.node.path, [problem("vpc", self.vpc.node.path, "it has neither isolated nor private subnets", hint)]
        )

    def _create_secrets_endpoint(self) -> ec2.IInterfaceVpcEndpoint:
        group = create_security_group(
            self, "SecretsEndpointSecurityGroup", self.vpc, f"Secrets Manager endpoint of {self.node.path}"
        )
        endpoint = ec2.InterfaceVpcEndpoint(
            self,
            "SecretsEndpoint",
            vpc=self.vpc,
            service=ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
            subnets=self.subnet_selection,
            security_groups=[group],
            open=False,  # True lets in all addresses of the VPC.
        )
        return cast("ec2.IInterfaceVpcEndpoint", endpoint)


def network_of(
    scope: Construct,
    problems: Problems,
    network: RedisNetwork | None,
    vpc: ec2.IVpc | None,
    vpc_subnets: ec2.SubnetSelection | None,
) -> RedisNetwork:
    """The network of a store: the one that was given, or one of the VPC that was given.

    Args:
        scope: The store, whose child "Network" the network of a VPC becomes.
        problems: The problems of the store, to which those of these parameters are added.
        network: As given to the store, like all that follows.
        vpc: As given.
        vpc_subnets: As given.

    Raises:
        ConfigurationError: With all problems so far, if there is no network and no VPC, or the VPC cannot be used.
    """
    if vpc is None and vpc_subnets is not None:
        problems.add("vpc_subnets", "a selection", "there is no `vpc` to select from", "give the `vpc` as well")
    if network is not None and vpc is not None:
        problems.add("vpc", "a VPC", "`network` is given, which has a VPC", "leave out one of the two")
    given: object = network
    if (network is None and vpc is None) or not isinstance(given, (RedisNetwork, NoneType)):
        problems.add("network", given, "a store needs a RedisNetwork or a VPC", "set `network` or `vpc`")
        problems.raise_if_any()
    return network or RedisNetwork(scope, "Network", vpc=vpc, vpc_subnets=vpc_subnets)


def _check_kinds(problems: Problems, vpc: object, vpc_subnets: object, flow_log_retention: object) -> None:
    """The CDK's own kinds of values, which it checks with errors of jsii."""
    if vpc is not None and not hasattr(vpc, "vpc_id"):
        problems.add("vpc", vpc, "it is an ec2.IVpc")
    if not isinstance(vpc_subnets, (ec2.SubnetSelection, NoneType)):
        problems.add("vpc_subnets", vpc_subnets, "it is an ec2.SubnetSelection")
    if not isinstance(flow_log_retention, (logs.RetentionDays, NoneType)):
        problems.add("flow_log_retention", flow_log_retention, "it is a logs.RetentionDays")


def _zones(scope: Construct, subnets: Sequence[ec2.ISubnet]) -> int:
    """How many zones there are; two that are told by different tokens count as two."""
    stack = cdk.Stack.of(scope)
    return len({json.dumps(stack.resolve(subnet.availability_zone)) for subnet in subnets})


def _has_ipv6(subnet: ec2.ISubnet) -> bool | None:
    """Whether a subnet has IPv6 addresses; None for one that this app does not define."""
    resource = subnet.node.default_child
    return resource.ipv6_cidr_block is not None if isinstance(resource, ec2.CfnSubnet) else None
