"""The network of stores: isolated subnets, and security groups for stores and their clients.

Example:
    >>> import aws_cdk as cdk
    >>> network = RedisNetwork(cdk.Stack(), "Network")
    >>> len(network.subnets)
    2

Defines a VPC with one isolated subnet in each of two or three zones, without a NAT gateway or an internet gateway, a
flow log, and a security group for clients. For an existing VPC, defines only the security group.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from cdk_redis._core.acknowledgements import acknowledge_provider
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.location import are_different, check_location
from cdk_redis._core.naming import description_of
from cdk_redis._core.weak_reference import require_order
from cdk_redis._network.security_groups import create_security_group, mark_open_to
from cdk_redis._network.vpc import (
    DEFAULT_CIDR,
    check_cidr,
    check_zone_ids,
    check_zones,
    choose_zone_ids,
    create_flow_log,
    create_vpc,
)

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms

    from cdk_redis._values.preset import Preset


class RedisNetwork(Construct):
    """Subnets and security groups for stores and their clients, in a new or an existing VPC.

    Attributes:
        vpc: The VPC, defined here or existing.
        subnets: Subnets for stores, in at least two zones; never public ones.
        subnet_selection: The same subnets as a selection, for constructs such as functions and services.
        client_security_group: Security group for clients. Its rules allow connections to the stores of this network on
            their ports, and nothing else.
        flow_log_group: Log group of the VPC's flow log, kept when the stack is deleted; None for an existing VPC.
        owns_vpc: Whether the VPC is defined here.
        zone_ids: Ids of the zones of the subnets; None if the zones are chosen by name, because the id of a zone name
            is not known at synth.
        secrets_endpoint: Interface VPC endpoint for Secrets Manager; None until one is defined.
    """

    @checked_arguments
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
        flow_log_kms_key: kms.IKey | None = None,
        preset: Preset | None = None,  # noqa: ARG002 - `checked_arguments` reads it
    ) -> None:
        """Define the network.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            vpc: An existing VPC to use. Default: - one is defined.
            vpc_subnets: Subnets of the existing VPC to use; public ones are rejected. Default: - the isolated subnets
                if the VPC has any, else the private ones with egress.
            zones: Number of availability zones of the defined VPC, 2 or 3. Default: - 3, or 2 if the account has only
                two zones, or if the account or the Region of the stack is not known.
            zone_ids: Ids of the two or three zones of the defined VPC, such as ``["use1-az1", "use1-az2"]``. An id
                means the same zone in every account; a name does not. Changing them replaces the subnets.
                Default: - in Regions where MemoryDB does not support all zones, ids of supported zones; in other
                Regions, the zones are chosen by name.
            cidr: IPv4 CIDR block of the defined VPC, of size /16 to /24. Each subnet gets a sixteenth of it.
                Default: 10.0.0.0/16.
            dual_stack: Whether the subnets have IPv6 addresses as well as IPv4 addresses. Stores with
                ``NetworkType.DUAL_STACK`` or ``NetworkType.IPV6`` need them. With True, each subnet of the defined VPC
                gets a /64 block of a /56 block that Amazon provides, and no route to the internet. For an existing
                VPC, set it if the subnets are not defined in this app. Default: - the defined VPC has IPv4 only; for an
                existing VPC, it is read from the subnets that are defined in this app.
            secrets_endpoint: How the subnets reach Secrets Manager, which stores passwords: True to create an
                interface VPC endpoint, for which AWS charges by the hour and zone, or an existing endpoint of the VPC.
                A VPC can have only one, because two would have the same private DNS name. `bind` of a store lets its
                target connect to a created endpoint; others cannot, until a rule allows it:
                ``function.connections.allow_to_default_port(network.secrets_endpoint)``. False: - none is created.
                Default: - created in the defined VPC when a smoke test, a failover drill or a bound program needs it.
            flow_log_retention: How long the defined VPC's flow log is kept. Default: - one year, which
                compliance rules require.
            flow_log_kms_key: Key that encrypts the defined VPC's flow log. CloudWatch Logs is allowed to use it in its
                policy, if it is defined in this app. Default: - a key owned by CloudWatch Logs.
            preset: Values for parameters that are left out, such as ``Preset.prod()``. Default: - the preset of the
                nearest scope that has one, see `Preset.use_in`; without one, the defaults of these parameters.

        Raises:
            ConfigurationError: If a parameter is invalid, or the subnets are public or in fewer than two zones.
        """
        super().__init__(scope, id)
        self._check(
            vpc,
            vpc_subnets,
            zones,
            zone_ids,
            cidr,
            secrets_endpoint,
            flow_log_retention,
            flow_log_kms_key,
        )
        self.owns_vpc = vpc is None
        self.flow_log_group: logs.LogGroup | None = None
        self.zone_ids: list[str] | None = None
        if vpc is None:
            self.zone_ids = choose_zone_ids(self, zones, zone_ids)
            vpc = create_vpc(self, cidr=cidr, zones=zones, zone_ids=self.zone_ids, dual_stack=bool(dual_stack))
            retention = flow_log_retention or logs.RetentionDays.ONE_YEAR
            self.flow_log_group = create_flow_log(self, vpc, retention, flow_log_kms_key)
        self.vpc: ec2.IVpc = vpc
        self.subnets: list[ec2.ISubnet] = self._select_subnets(vpc_subnets)
        self.subnet_selection = ec2.SubnetSelection(subnets=self.subnets)
        self.client_security_group: ec2.SecurityGroup = create_security_group(
            self, "ClientSecurityGroup", self.vpc, f"Clients of the stores in {self.node.path}"
        )
        # The CDK's function that closes the default security group of a VPC that this stack defines.
        acknowledge_provider(self, "Custom::VpcRestrictDefaultSGCustomResourceProvider")
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

        None if that is not known: without `dual_stack`, for subnets that are imported or looked up.
        """
        if self._dual_stack is not None:
            return self._dual_stack
        found = [_has_ipv6(subnet) for subnet in self.subnets]
        return False if False in found else None if None in found else True

    def require_secrets_endpoint(self) -> ec2.IInterfaceVpcEndpoint:
        """Return the endpoint for Secrets Manager; it is created on first use if `secrets_endpoint` was left out.

        Raises:
            ConfigurationError: If there is no endpoint, and the VPC is an existing one or `secrets_endpoint` is False.
        """
        if self.secrets_endpoint is None:
            given = self._secrets_endpoint_given
            if given is False or not self.owns_vpc:
                reason = "a password is read from Secrets Manager, and the subnets need an endpoint to reach it"
                hint = "set secrets_endpoint=True to create one, or give the one that the VPC has"
                raise ConfigurationError(self.node.path, [problem("secrets_endpoint", given, reason, hint)])
            self.secrets_endpoint = self._create_secrets_endpoint()
        return self.secrets_endpoint

    @checked_arguments
    def create_store_security_group(
        self, scope: Construct, id: str, *, port: int, last_port: int | None = None
    ) -> ec2.SecurityGroup:
        """Define a security group for a store that allows inbound traffic from clients and no outbound traffic.

        The egress rule of the client security group is defined in the stack of this group, so that the store's stack
        depends on the network's stack, and not the other way round.

        Args:
            scope: Construct it is defined in, usually the store.
            id: Id within the scope.
            port: TCP port of the store.
            last_port: Last of a range of ports that begins with `port`. Default: - `port` alone.
        """
        require_order(scope, "network", self)
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
        mark_open_to(group, self.client_security_group)
        return group

    def _check(
        self,
        vpc: ec2.IVpc | None,
        vpc_subnets: ec2.SubnetSelection | None,
        zones: int | None,
        zone_ids: Sequence[str] | None,
        cidr: str,
        secrets_endpoint: bool | ec2.IInterfaceVpcEndpoint | None,
        flow_log_retention: logs.RetentionDays | None,
        flow_log_kms_key: kms.IKey | None,
    ) -> None:
        problems = Problems(self)
        user = "the network"
        check_location(problems, "flow_log_kms_key", flow_log_kms_key, "a key", scope=self, user=user)
        check_location(problems, "secrets_endpoint", secrets_endpoint, "an endpoint", scope=self, user=user)
        if vpc is None:
            check_zones(problems, zones)
            check_zone_ids(problems, zones, zone_ids, region=cdk.Stack.of(self).region)
            check_cidr(problems, cidr)
            if vpc_subnets is not None:
                problems.add("vpc_subnets", "a selection", "there is no vpc to select from", "give the vpc as well")
        else:
            check_location(problems, "vpc", vpc, "a VPC", scope=self, user=user)
            own_cidr = None if cidr == DEFAULT_CIDR else cidr
            given = (
                ("zones", zones),
                ("zone_ids", zone_ids),
                ("cidr", own_cidr),
                ("flow_log_retention", flow_log_retention),
                ("flow_log_kms_key", None if flow_log_kms_key is None else "a key"),
            )
            for parameter, value in given:
                if value is not None:
                    problems.add(parameter, value, "it is for a new VPC, and `vpc` is given", "leave it out")
        problems.raise_if_any()

    def _select_subnets(self, selection: ec2.SubnetSelection | None) -> list[ec2.ISubnet]:
        selected = self._selected(selection or self._default_selection())
        problems = Problems(self)
        self._check_lists(problems, selected.subnets)
        count = len(selected.subnets)
        # Compared by id: a subnet that is imported separately is another object than the subnet of the VPC.
        public = {subnet.subnet_id for subnet in self.vpc.public_subnets}
        if not public.isdisjoint(subnet.subnet_id for subnet in selected.subnets):
            hint = "select isolated subnets, or private ones"
            problems.add("vpc_subnets", "public subnets", "a store is never reachable from the internet", hint)
        # Until the CDK CLI has looked up a VPC, its subnets are dummies.
        elif not selected.is_pending_lookup and _zones(self, selected.subnets) < 2:
            reason = "a network needs subnets in 2 zones, so that a store survives the loss of one"
            problems.add("vpc_subnets", f"{count} subnets in one zone" if count else "no subnets", reason)
        problems.raise_if_any()
        return list(selected.subnets)

    def _check_lists(self, problems: Problems, subnets: Sequence[ec2.ISubnet]) -> None:
        """Check that the VPC was imported with lists whose length is known: a list that is a token is one item."""
        lists = {"zones": [one.availability_zone for one in subnets], "subnet ids": [one.subnet_id for one in subnets]}
        for what, items in lists.items():
            if any("#{Token[" in item for item in items):
                reason = f"its list of {what} is a token, whose length is not known at synth"
                hint = "give one item for each subnet: the result of Fn.split(',', text, 2), or of Fn.select"
                problems.add("vpc", self.vpc.node.path, reason, hint)
        # The CDK raises an error for each use of such a list.
        problems.raise_if_any()

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
            # The first line of the CDK's error is the reason, after an error code.
            reason = re.sub(r"^\w+: ", "", str(error).strip().splitlines()[0])
            reason = reason[:1].lower() + reason[1:]
            raise ConfigurationError(self.node.path, [problem("vpc_subnets", "a selection", reason)]) from None

    def _default_selection(self) -> ec2.SubnetSelection:
        if self.vpc.isolated_subnets:
            return ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        if self.vpc.private_subnets:
            return ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
        hint = "set vpc_subnets, or leave out vpc to have a VPC defined"
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
            open=False,  # True allows inbound traffic from all addresses of the VPC.
        )
        return cast("ec2.IInterfaceVpcEndpoint", endpoint)


def network_of(
    scope: Construct,
    problems: Problems,
    network: RedisNetwork | None,
    vpc: ec2.IVpc | None,
    vpc_subnets: ec2.SubnetSelection | None,
) -> RedisNetwork:
    """Return the network of a store: the given one, or a new one for the given VPC.

    Args:
        scope: The store; a new network is its child "Network".
        problems: Where to add problems of these parameters.
        network: Argument of the store.
        vpc: Argument of the store.
        vpc_subnets: Argument of the store.

    Raises:
        ConfigurationError: With all problems so far, if there is no network and no VPC, or the VPC cannot be used.
    """
    if vpc is None and vpc_subnets is not None:
        problems.add("vpc_subnets", "a selection", "there is no `vpc` to select from", "give the `vpc` as well")
    if network is not None and vpc is not None:
        problems.add("vpc", "a VPC", "`network` is given, which has a VPC", "leave out one of the two")
    if network is not None:
        check_network(problems, scope, network)
    if network is None and vpc is None:
        problems.add("network", None, "a store needs a RedisNetwork or a VPC", "set `network` or `vpc`")
        problems.raise_if_any()
    return network or RedisNetwork(scope, "Network", vpc=vpc, vpc_subnets=vpc_subnets)


def check_network(problems: Problems, scope: IConstruct, network: RedisNetwork) -> None:
    """Check that a network is in the Region of the construct that uses it."""
    own, other = cdk.Stack.of(scope).region, cdk.Stack.of(network).region
    if are_different(own, other):
        problems.add("network", f"a network in {other}", f"the store is in {own}", "use a network of that Region")


def _zones(scope: Construct, subnets: Sequence[ec2.ISubnet]) -> int:
    """Number of zones of the subnets; different tokens count as different zones."""
    stack = cdk.Stack.of(scope)
    return len({json.dumps(stack.resolve(subnet.availability_zone)) for subnet in subnets})


def _has_ipv6(subnet: ec2.ISubnet) -> bool | None:
    """Whether a subnet has IPv6 addresses; None if it is not defined in this app."""
    resource = subnet.node.default_child
    return resource.ipv6_cidr_block is not None if isinstance(resource, ec2.CfnSubnet) else None
