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

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

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
        subnets: Subnets that stores stand in, in at least two zones, none of them public.
        subnet_selection: The same, for whatever takes a selection: a function, a service.
        client_security_group: Security group to hand to clients. It may reach the stores of this network on their
            ports, and nothing else.
        flow_log_group: Log group of the VPC's flow log; None for a given VPC. It outlives the stack.
        owns_vpc: Whether the VPC is defined here.
        zone_ids: Ids of the zones that the subnets stand in; None where they are placed by names, whose ids nobody
            knows before the deploy.
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
            flow_log_retention: How long the defined VPC's flow log is kept. Default: - one year, which is what
                compliance rules ask for.

        Raises:
            ConfigurationError: If a parameter is not allowed, or the subnets are public or in fewer than two zones.
        """
        super().__init__(scope, id)
        self._check(vpc, vpc_subnets, zones, zone_ids, cidr, dual_stack, flow_log_retention)
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
        self._secrets_endpoint: ec2.IInterfaceVpcEndpoint | None = None

    @property
    def ipv6(self) -> bool | None:
        """Whether the subnets have IPv6 addresses.

        None where that is not known: subnets that are imported or looked up, in a network without `dual_stack`.
        """
        if self._dual_stack is not None:
            return self._dual_stack
        found = [_has_ipv6(subnet) for subnet in self.subnets]
        return False if False in found else None if None in found else True

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

    def add_secrets_endpoint(self, *, in_existing_vpc: bool = False) -> ec2.IInterfaceVpcEndpoint:
        """Make Secrets Manager reachable from the subnets, which have no way out; made once, however often asked.

        Nobody gets in until let in: ``client.connections.allow_to_default_port(endpoint)``. AWS charges for the
        endpoint by the hour and zone.

        Args:
            in_existing_vpc: Whether to add it to a VPC that was given, too. Default: no, because there may be one
                already, and two answer to the same host name; `use_secrets_endpoint` names that one.

        Raises:
            ConfigurationError: If the VPC was given and neither was asked for.
        """
        if self._secrets_endpoint is None:
            if not self.owns_vpc and not in_existing_vpc:
                reason = "the VPC is not this network's own and may have such an endpoint already"
                hint = "name that one with use_secrets_endpoint(), or say in_existing_vpc=True"
                raise ConfigurationError(self.node.path, [problem("in_existing_vpc", False, reason, hint)])
            self._secrets_endpoint = self._create_secrets_endpoint()
        return self._secrets_endpoint

    def use_secrets_endpoint(self, endpoint: ec2.IInterfaceVpcEndpoint) -> None:
        """Name the endpoint by which an existing VPC reaches Secrets Manager.

        Args:
            endpoint: With its security groups, so that clients can be let in.

        Raises:
            ConfigurationError: If the network has an endpoint already.
        """
        if self._secrets_endpoint is not None:
            given, reason = endpoint.node.path, "the network has an endpoint for Secrets Manager already"
            raise ConfigurationError(self.node.path, [problem("endpoint", given, reason)])
        self._secrets_endpoint = endpoint

    def _check(
        self,
        vpc: ec2.IVpc | None,
        vpc_subnets: ec2.SubnetSelection | None,
        zones: int | None,
        zone_ids: Sequence[str] | None,
        cidr: str,
        dual_stack: bool | None,
        flow_log_retention: logs.RetentionDays | None,
    ) -> None:
        problems = Problems(self)
        if dual_stack is not None and not isinstance(dual_stack, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            problems.add("dual_stack", dual_stack, "it is True or False")
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

    def _create_secrets_endpoint(self) -> ec2.InterfaceVpcEndpoint:
        group = create_security_group(
            self, "SecretsEndpointSecurityGroup", self.vpc, f"Secrets Manager endpoint of {self.node.path}"
        )
        return ec2.InterfaceVpcEndpoint(
            self,
            "SecretsEndpoint",
            vpc=self.vpc,
            service=ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
            subnets=self.subnet_selection,
            security_groups=[group],
            open=False,  # or all of the VPC's addresses get in
        )


def _zones(scope: Construct, subnets: Sequence[ec2.ISubnet]) -> int:
    """How many zones there are; two that are told by different tokens count as two."""
    stack = cdk.Stack.of(scope)
    return len({json.dumps(stack.resolve(subnet.availability_zone)) for subnet in subnets})


def _has_ipv6(subnet: ec2.ISubnet) -> bool | None:
    """Whether a subnet has IPv6 addresses; None for one that this app does not define."""
    resource = subnet.node.default_child
    return resource.ipv6_cidr_block is not None if isinstance(resource, ec2.CfnSubnet) else None
