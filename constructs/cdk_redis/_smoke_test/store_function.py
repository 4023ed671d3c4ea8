"""A function of this library's own that stands beside a store and signs in to it: the smoke test's, the drill's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_redis._access.access_string import AccessString
from cdk_redis._access.secret_access import grant_secret_read
from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.weak_reference import read_weakly
from cdk_redis_runtime._client import environment as runtime

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_secretsmanager as secretsmanager

    from cdk_redis._access.users import User
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._store.store import Store


class StoreFunction:
    """The function, its log group, its security group and rules, and the right to sign in, defined in one scope.

    All that it takes from a store in another stack it reads from plain outputs, so that nothing locks that stack.

    Attributes:
        function: The function.
        log_group: Its log group.
        user: The user that it signs in as; None for a store with open access.
        prerequisites: What has to be there before the function can work.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        target: Store,
        user: User | None,
        user_name: str,
        key_prefix: str,
        purpose: str,
        handler: str,
        timeout: cdk.Duration,
        environment: Mapping[str, str],
        at_most_one: bool = False,
    ) -> None:
        """Define the function.

        Args:
            scope: Construct that it is defined in, whose children the parts become.
            target: The store.
            user: User of the target to sign in as; None to add one.
            user_name: Name of the user that is added.
            key_prefix: What the added user's rights end at.
            purpose: What it is, for descriptions.
            handler: Handler within ``cdk_redis_runtime``.
            timeout: When Lambda ends it.
            environment: Variables beyond those of the connection.
            at_most_one: Whether runs must not overlap, and a failed run that was started by an event is not repeated.

        Raises:
            ConfigurationError: If the target is imported without a network or a user.
        """
        self._scope = scope
        self._target = target
        self._description = f"{purpose} of {target.node.path}"
        self._purpose = purpose
        self._network = _network_of(scope, target)
        self.user = self._choose_user(user, user_name, key_prefix)
        self.log_group = self._create_log_group()
        self._security_group = self._create_security_group()
        self._store_security_groups = Construct(scope, "StoreSecurityGroups")
        variables = {
            **target.connection_environment(self.user, self.weak),
            **self._path_environment(),
            **environment,
        }
        self.function = self._create_function(handler, timeout, variables, at_most_one=at_most_one)
        self._let_in()
        # Deleting the role before the function's network interfaces are gone leaves the security group undeletable
        # (aws/aws-cdk issue 6701).
        if self.function.role is not None:
            self._security_group.node.add_dependency(self.function.role)
        # All of it: the rules and the policy that the function needs are children of these.
        self.prerequisites: list[Construct] = [
            target,
            self.function,
            self._security_group,
            self._store_security_groups,
        ]

    def _path_environment(self) -> dict[str, str]:
        """The security groups on the way, so that a connection that times out can be explained."""
        groups = self._target.security_groups
        if not groups:
            return {}
        return {
            runtime.SECURITY_GROUPS: self._security_group.security_group_id,
            runtime.STORE_SECURITY_GROUPS: ",".join(
                self._weak_group_id(number, group) for number, group in enumerate(groups, start=1)
            ),
        }

    def _weak_group_id(self, number: int, group: ec2.ISecurityGroup) -> str:
        return self.weak(f"SecurityGroup{number}", group.security_group_id)

    def weak(self, name: str, value: str) -> str:
        """Read a value of the target so that its stack is not locked."""
        return read_weakly(self._scope, self._target, name, value)

    def _choose_user(self, user: User | None, name: str, key_prefix: str) -> User | None:
        target = self._target
        if user is not None or target.open_access:
            return user
        # Everybody signs in with the one token that the store has.
        if target.auth_token is not None:
            return target.auth_token
        engine = target.topology.engine
        access = AccessString.smoke_test(
            key_prefix, channels=engine.supports_channel_rules, sharded_pubsub=engine.supports_sharded_pubsub
        )
        if engine.supports_iam:
            return target.add_iam_user(name, access)
        return target.add_password_user(name, access)

    def _create_log_group(self) -> logs.LogGroup:
        from aws_cdk import aws_logs as logs

        return logs.LogGroup(
            self._scope, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
        )

    def _create_security_group(self) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self._scope,
            "SecurityGroup",
            vpc=self._network.vpc,
            description=self._description,
            allow_all_outbound=False,
        )

    def _create_function(
        self, handler: str, timeout: cdk.Duration, variables: Mapping[str, str], *, at_most_one: bool
    ) -> lambda_.Function:
        from aws_cdk import aws_lambda as lambda_

        from cdk_redis._smoke_test.asset import smoke_test_code

        with smoke_test_code() as (folder, code_hash):
            code = lambda_.Code.from_asset(str(folder), asset_hash=code_hash, asset_hash_type=cdk.AssetHashType.CUSTOM)
            # Within the block: the construct copies the folder when it is made.
            return lambda_.Function(
                self._scope,
                "Function",
                description=self._description,
                runtime=lambda_.Runtime.PYTHON_3_14,
                architecture=lambda_.Architecture.ARM_64,
                handler=handler,
                code=code,
                # Signing and TLS want some processor, which Lambda gives by memory.
                memory_size=512,
                timeout=timeout,
                vpc=self._network.vpc,
                vpc_subnets=self._network.subnet_selection,
                security_groups=[self._security_group],
                log_group=self.log_group,
                environment=variables,
                reserved_concurrent_executions=1 if at_most_one else None,
                # Lambda would repeat a failed run twice, and each would count.
                retry_attempts=0 if at_most_one else None,
                max_event_age=cdk.Duration.seconds(60) if at_most_one else None,
            )

    def _let_in(self) -> None:
        """Open the network and let the function sign in, by values that do not lock the store's stack."""
        from aws_cdk import aws_iam as iam

        target = self._target
        # Imports, so that the rules stand here and not with the store's own groups.
        for number, group in enumerate(target.security_groups, start=1):
            store_group = ec2.SecurityGroup.from_security_group_id(
                self._store_security_groups, str(number), self._weak_group_id(number, group)
            )
            self.function.connections.allow_to(store_group, target.ports, self._description)
        if self.user is None:
            return
        if self.user.secret is not None:
            self._reach_secret(self.user.secret)
            return
        iam.Grant.add_to_principal(
            grantee=self.function,
            actions=[target.service.connect_action],
            resource_arns=[target.service.store_arn(target, self.weak("Name", target.store_name)), self.user.user_arn],
        )

    def _reach_secret(self, secret: secretsmanager.ISecret) -> None:
        # The subnets have no way out: the secret is read through an endpoint inside them.
        endpoint = self._network.add_secrets_endpoint()
        self.function.connections.allow_to(endpoint, ec2.Port.tcp(443), f"{self._purpose} to Secrets Manager")
        grant_secret_read(secret, self.function, self.weak)


def _network_of(scope: Construct, target: Store) -> RedisNetwork:
    if target.network is None:
        hint = "give `network` to the import: the function stands in its subnets"
        raise ConfigurationError(scope.node.path, [problem("target", target.node.path, "it has no network", hint)])
    return target.network
