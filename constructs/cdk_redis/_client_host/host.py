"""`ClientHost`: an instance from which a person reaches stores, by Session Manager alone.

Example:
    >>> import aws_cdk as cdk
    >>> from cdk_redis import AccessString, ReplicationGroup, RedisNetwork
    >>> stack = cdk.Stack()
    >>> cache = ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"))
    >>> host = ClientHost(stack, "Host", store=cache, user=cache.add_iam_user("operator", AccessString.read_only("*")))

The template has an output with the command that opens a prompt on the store.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_redis._client_host.endpoints import session_endpoints_of
from cdk_redis._core.acknowledgements import INLINE_POLICY, acknowledge
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import description_of
from cdk_redis._core.tokens import is_token
from cdk_redis._core.weak_reference import refer_weakly
from cdk_redis._network.network import RedisNetwork
from cdk_redis._network.security_groups import allow_connections, create_security_group
from cdk_redis._store.across_stacks import policy_of, reader_for
from cdk_redis_runtime._client import environment

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms

    from cdk_redis._access.users import User
    from cdk_redis._store.interface import IStore

_HTTPS = ec2.Port.tcp(443)
_GRAVITON = re.compile(r"[a-z]+\d+g[a-z]*\.[a-z0-9-]+")
_PROGRAM = "/usr/local/bin/connect-to-store"
_FOLDER = "/etc/cdk-redis"
# What the agent needs for sessions; none of these actions has resource-level permissions
# (https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html).
_AGENT_ACTIONS = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
_NO_RESOURCE = "the actions of the agent for sessions have no resource"
_FINDINGS_OF_INSTANCE = {
    "AwsSolutions-EC29": "it holds no data, and a change or a new image replaces it",
    "EC2InstanceDetailedMonitoringEnabled": "metrics of each minute cost money, and no alarm reads them",
}
# AWS's document that runs a command with a terminal, and the account's document for shells.
_INTERACTIVE_COMMAND, _SHELL = "AWS-StartInteractiveCommand", "SSM-SessionManagerRunShell"


@jsii.implements(ec2.IConnectable, iam.IGrantable)
class ClientHost(Construct):
    """A small Arm instance with ``valkey-cli``, in the subnets of a store, for a person who looks at data.

    It has no key pair and no public address, and no security group allows inbound traffic: people reach it by Session
    Manager, if `grant_login` allows them to. Instance metadata needs version 2, the volume is encrypted. The instance
    holds no data: a new Amazon Linux image, or a change here, replaces it.

    The subnets have no route to the internet. At its first start the instance installs Amazon Linux's package
    ``valkey``, whose ``valkey-cli`` supports TLS
    (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/connect-tls.html), from Amazon Linux's repositories in S3,
    through a gateway endpoint. A short program on the instance signs IAM tokens, or reads the password, and starts
    ``valkey-cli``.

    Prices in us-east-1, a month of 730 hours: instance 6.13 USD (``t4g.micro``), volume of 8 GiB 0.64 USD, two
    interface endpoints in one zone 14.60 USD, which all hosts of a network share; the gateway endpoint is free. A
    password user also needs the Secrets Manager endpoint of the network: 7.30 USD for each zone.

    Attributes:
        instance: The instance.
        role: Its role.
        security_group: Its security group; it allows HTTPS outbound, and the ports of the store.
        login_command: The command for a person's terminal, also in the stack's outputs.
    """

    @checked_arguments
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        store: IStore | None = None,
        user: User | None = None,
        network: RedisNetwork | None = None,
        endpoints: bool | None = None,
        instance_type: str = "t4g.micro",
        kms_key: kms.IKey | None = None,
    ) -> None:
        """Define the instance, and the endpoints that it needs.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            store: The store to reach. Default: - none; ``store.grant_connect(host, user=...)`` adds stores of the
                `network`.
            user: User of the store to sign in as. Default: - none, for a store with open access.
            network: Network in whose first subnet the instance is. Default: - the network of the `store`.
            endpoints: Whether to define the VPC endpoints for Systems Manager and S3. A VPC can have each only once.
                Default: - True in a VPC that the network defines; required for an existing VPC: False if it has the
                endpoints, or a NAT gateway.
            instance_type: Type with an Arm processor. ``dnf`` needs more memory than a ``nano`` has.
                Default: ``"t4g.micro"``.
            kms_key: Key that encrypts the volume. Default: - the key of the account for EBS.

        Raises:
            ConfigurationError: If a parameter is invalid, there is no network, or the user does not fit the store.
        """
        super().__init__(scope, id)
        self._network = network = self._check(store, user, network, endpoints, instance_type)
        self.security_group = create_security_group(self, "SecurityGroup", network.vpc, f"Host {self.node.path}")
        # The prefix list of S3 is not known at synth. Isolated subnets have no route to other addresses.
        self.security_group.add_egress_rule(
            ec2.Peer.any_ipv4(), _HTTPS, description_of("To Systems Manager and package repositories")
        )
        self.role = self._create_role()
        self.instance = self._create_instance(instance_type, kms_key)
        if endpoints is not False:
            self._use_endpoints()
        if store is not None:
            self._reach(store, user)
        # The instance is in a subnet of the network, which the CDK would read by exports.
        refer_weakly(network, self)
        self._acknowledge()
        self.login_command = self._define_command(to_store=store is not None)

    def _acknowledge(self) -> None:
        acknowledge(self.instance.instance, _FINDINGS_OF_INSTANCE)
        if (policy := self.role.node.try_find_child("DefaultPolicy")) is not None:
            acknowledge(cast("Construct", policy), INLINE_POLICY)

    @property
    def connections(self) -> ec2.Connections:
        """Security-group rules to and from the instance."""
        return self.instance.connections

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """The role of the instance."""
        return self.role.grant_principal

    @checked_arguments
    def grant_login(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow a person's role to open sessions on this instance, and to end the person's own sessions.

        The person can do there what the instance's role and the user of the store allow, with a shell, too. CloudTrail
        records who starts a session.

        Args:
            grantee: A role that people assume, or a group of users.

        Returns:
            The grant.
        """
        policy = policy_of(grantee)
        if policy is not None:
            refer_weakly(self, policy)
        stack = cdk.Stack.of(self)
        instance = stack.format_arn(service="ec2", resource="instance", resource_name=self.instance.instance_id)
        documents = [
            stack.format_arn(service="ssm", account="", resource="document", resource_name=_INTERACTIVE_COMMAND),
            stack.format_arn(service="ssm", resource="document", resource_name=_SHELL),
        ]
        own_sessions = stack.format_arn(service="ssm", region="*", resource="session", resource_name="${aws:userid}-*")
        grant = iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["ssm:StartSession"],
            resource_arns=[instance, *documents],
            # Without it, a person who names no document gets the shell without the right to its document.
            conditions={"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}},
        )
        return grant.combine(
            iam.Grant.add_to_principal(
                grantee=grantee, actions=["ssm:ResumeSession", "ssm:TerminateSession"], resource_arns=[own_sessions]
            )
        )

    def _check(
        self,
        store: IStore | None,
        user: User | None,
        network: RedisNetwork | None,
        endpoints: bool | None,
        instance_type: str,
    ) -> RedisNetwork:
        problems = Problems(self)
        if not is_token(instance_type) and not _GRAVITON.fullmatch(instance_type):
            reason = "the image is for Arm, whose instance families have a g behind the number"
            problems.add("instance_type", instance_type, reason, "give a type such as t4g.micro or m7g.medium")
        if user is not None and store is None:
            problems.add("user", user.node.path, "there is no `store` to sign in to", "give the `store` as well")
        if store is not None and user is None and not store.open_access:
            problems.add("user", None, "clients sign in as a user", "add one with `add_iam_user`")
        found = network or (store.network if store is not None else None)
        if found is None:
            hint = "give `network`: the instance is in its subnets"
            given = None if store is None else f"the network of {store.node.path}"
            problems.add("network", given, "there is none", hint)
        elif endpoints is None and not found.owns_vpc:
            reason = "the instance needs a way to Systems Manager and S3, and this is an existing VPC"
            hint = "give True to define endpoints for ssm, ssmmessages and S3, or False if it has them or a NAT gateway"
            problems.add("endpoints", None, reason, hint)
        problems.raise_if_any()
        return cast("RedisNetwork", found)

    def _create_role(self) -> iam.Role:
        statement = iam.PolicyStatement(actions=list(_AGENT_ACTIONS), resources=["*"])
        role = iam.Role(
            self,
            "Role",
            description=description_of(f"Host {self.node.path}"),
            assumed_by=cast("iam.IPrincipal", iam.ServicePrincipal("ec2.amazonaws.com")),
            inline_policies={"SessionManager": iam.PolicyDocument(statements=[statement])},
        )
        acknowledge(
            role, {"AwsSolutions-IAM5[Resource::*]": _NO_RESOURCE, "CKV_AWS_111": _NO_RESOURCE, **INLINE_POLICY}
        )
        return role

    def _create_instance(self, instance_type: str, kms_key: kms.IKey | None) -> ec2.Instance:
        network = self._network
        # A replaced store changes the settings. CloudFormation then restarts the instance, and only what runs at every
        # start, a boot hook, writes the new ones; a script runs at the first start.
        self._at_every_start = ec2.UserData.for_linux()
        first_start = ec2.UserData.for_linux()
        first_start.add_commands("dnf install -y valkey")
        user_data = ec2.MultipartUserData()
        user_data.add_part(
            ec2.MultipartBody.from_user_data(self._at_every_start, 'text/cloud-boothook; charset="utf-8"')
        )
        user_data.add_part(ec2.MultipartBody.from_user_data(first_start))
        volume = ec2.BlockDeviceVolume.ebs(
            8, encrypted=True, kms_key=kms_key, volume_type=ec2.EbsDeviceVolumeType.GP3, delete_on_termination=True
        )
        instance = ec2.Instance(
            self,
            "Instance",
            vpc=network.vpc,
            vpc_subnets=ec2.SubnetSelection(subnets=[network.subnets[0]]),
            instance_type=ec2.InstanceType(instance_type),
            machine_image=ec2.MachineImage.latest_amazon_linux2023(cpu_type=ec2.AmazonLinuxCpuType.ARM_64),
            role=cast("iam.IRole", self.role),
            security_group=cast("ec2.ISecurityGroup", self.security_group),
            block_devices=[ec2.BlockDevice(device_name="/dev/xvda", volume=volume)],
            ebs_optimized=True,
            user_data=user_data,
            # Or a new version of the commands would not run.
            user_data_causes_replacement=True,
        )
        # The subnet has it. A network with zone ids does not know the names of its zones.
        instance.instance.availability_zone = None
        # Without a name, unlike the template that `require_imdsv2` defines, so that two stacks can have one.
        options = ec2.CfnLaunchTemplate.MetadataOptionsProperty(http_tokens="required", http_put_response_hop_limit=1)
        template = ec2.CfnLaunchTemplate(
            self,
            "LaunchTemplate",
            launch_template_data=ec2.CfnLaunchTemplate.LaunchTemplateDataProperty(metadata_options=options),
        )
        instance.instance.launch_template = ec2.CfnInstance.LaunchTemplateSpecificationProperty(
            launch_template_id=template.ref, version=template.attr_latest_version_number
        )
        return instance

    def _use_endpoints(self) -> None:
        endpoints = session_endpoints_of(self._network)
        # The first start installs a package, so the route to S3 comes first.
        self.instance.node.add_dependency(endpoints)
        for endpoint in endpoints.interfaces[:1]:
            # All interface endpoints have one security group.
            allow_connections(self.instance, endpoint, _HTTPS, description_of("Host to Systems Manager"))

    def _reach(self, store: IStore, user: User | None) -> None:
        if user is None:
            store.grants.network_access(self.instance)
        else:
            store.grant_connect(self.instance, user=user)
            if user.secret is not None:
                endpoint = self._network.require_secrets_endpoint()
                allow_connections(self.instance, endpoint, _HTTPS, description_of("Host to Secrets Manager"))
        variables = store.connection_environment(user, reader_for(store, self.instance))
        settings = {environment.REGION: cdk.Stack.of(self).region, **variables}
        self._at_every_start.add_commands(
            f"install -d -m 755 {_FOLDER}",
            *_file(f"{_FOLDER}/store.json", cdk.Stack.of(self).to_json_string(settings)),
            *_file(_PROGRAM, Path(__file__).with_name("program.py").read_text()),
            f"chmod 755 {_PROGRAM}",
        )

    def _define_command(self, *, to_store: bool) -> str:
        region, instance = cdk.Stack.of(self).region, self.instance.instance_id
        command = f"aws ssm start-session --region {region} --target {instance}"
        if to_store:
            command += f" --document-name {_INTERACTIVE_COMMAND} --parameters command=connect-to-store"
        cdk.CfnOutput(self, "Command", value=command, description=description_of(f"Opens {self.node.path}"))
        return command


def _file(path: str, content: str) -> list[str]:
    """Commands that write a file; the shell replaces nothing in it."""
    return [f"cat > {path} <<'END_OF_FILE'", content.rstrip("\n"), "END_OF_FILE"]
