"""A smoke test at the end of the deploy, which fails it if the store is not what was asked for.

SmokeTest(self, "SmokeTest", target=cache)
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_redis_runtime import _environment as environment

from ._access_string import AccessString
from ._errors import ConfigurationError, problem
from ._weak_reference import read_weakly

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_secretsmanager as secretsmanager
    from aws_cdk import triggers

    from ._network import RedisNetwork
    from ._store import Store
    from ._users import User

_HANDLER = "cdk_redis_runtime.smoke_lambda.handler"
_BUDGET = cdk.Duration.seconds(20)
# Beyond the budget: the start of the function, and time to write the report.
_FUNCTION_TIMEOUT = cdk.Duration.seconds(60)
_TRIGGER_TIMEOUT = cdk.Duration.seconds(90)


class SmokeTest(Construct):
    """Proves, at the end of each deploy that changes it, that a store does what it was asked to do.

    Defines a function in the store's subnets, a trigger that runs it after the store and everything that it depends
    on, its log group, and a user of its own whose rights end at a key prefix. It checks TLS, signing in, that nobody
    gets in without, the topology, a write and a read on every shard, a read on every replica, and that the user's
    rights are enforced. It runs again whenever a property of the target changes.

    A failed check fails the deployment, and CloudFormation rolls back the stack that the smoke test stands in. Beside
    the store that undoes the store's change as well; in a stack of its own after it, the store stays to be looked at,
    and the test runs again in seconds. What it reads from a store in another stack, it reads from plain
    outputs, so that nothing locks the store's stack.

    Attributes:
        function: The function.
        trigger: Runs the function during the deployment.
        log_group: Where the report is written, one line of JSON a run.
        user: The user that it signs in as; None for a store with open access.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        target: Store,
        user: User | None = None,
        key_prefix: str = "cdk-redis-smoke:",
    ) -> None:
        """Define the smoke test.

        Args:
            scope: Construct this one is defined in: the store's stack, or one after it.
            id: Id within the scope.
            target: The store.
            user: User of the target to sign in as; its access string must be `AccessString.smoke_test`'s.
                Default: - one is added to the target: an IAM user, or where the engine has none a password user whose
                secret is read through an interface endpoint of the network (about 8 USD a month and zone).
            key_prefix: Begins each key that is written. Nothing outside it is touched.

        Raises:
            ConfigurationError: If the target is imported without a network or a user, takes no writes, has keys that
                cannot expire, or is the scope itself.
        """
        super().__init__(scope, id)
        self._target = target
        self._check_target()
        self._key_prefix = key_prefix
        self.user = self._choose_user(user)
        self.log_group = self._create_log_group()
        self._security_group = self._create_security_group()
        self._store_security_groups = Construct(self, "StoreSecurityGroups")
        self.function = self._create_function()
        self._let_in()
        self.trigger = self._create_trigger()

    def _check_target(self) -> None:
        if self._target in self.node.scopes:
            mend = "define the smoke test beside the store, or in a stack after it"
            given = problem("scope", self._target.node.path, "a store cannot wait for a test within itself", mend)
            raise ConfigurationError(self.node.path, [given])
        if not self._target.takes_writes:
            path, allowed = self._target.node.path, "it takes no writes, and a smoke test writes"
            mend = "test the primary, whose data it has"
            raise ConfigurationError(self.node.path, [problem("target", path, allowed, mend)])

    def _choose_user(self, user: User | None) -> User | None:
        target = self._target
        self._network()
        if not target.keys_expire:
            allowed = "Multi-Region clusters have no time to live, which all that the smoke test writes has"
            raise ConfigurationError(self.node.path, [problem("target", target.node.path, allowed)])
        if user is not None or target.open_access:
            return user
        # Everybody signs in with the one token that the store has.
        if target.auth_token is not None:
            return target.auth_token
        access, name = AccessString.smoke_test(self._key_prefix), "smoke-test"
        if target.topology.engine.supports_iam:
            return target.add_iam_user(name, access)
        return target.add_password_user(name, access)

    def _create_log_group(self) -> logs.LogGroup:
        from aws_cdk import aws_logs as logs

        return logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
        )

    def _create_security_group(self) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=self._network().vpc,
            description=f"Smoke test of {self._target.node.path}",
            allow_all_outbound=False,
        )

    def _create_function(self) -> lambda_.Function:
        from aws_cdk import aws_lambda as lambda_

        from ._smoke_asset import smoke_test_code

        network = self._network()
        with smoke_test_code() as (folder, code_hash):
            code = lambda_.Code.from_asset(str(folder), asset_hash=code_hash, asset_hash_type=cdk.AssetHashType.CUSTOM)
            # Within the block: the construct copies the folder when it is made.
            return lambda_.Function(
                self,
                "Function",
                description=f"Smoke test of {self._target.node.path}",
                runtime=lambda_.Runtime.PYTHON_3_14,
                architecture=lambda_.Architecture.ARM_64,
                handler=_HANDLER,
                code=code,
                # Signing and TLS want some processor, which Lambda gives by memory.
                memory_size=512,
                timeout=_FUNCTION_TIMEOUT,
                vpc=network.vpc,
                vpc_subnets=network.subnet_selection,
                security_groups=[self._security_group],
                log_group=self.log_group,
                environment=self._environment(),
            )

    def _environment(self) -> dict[str, str]:
        target, topology = self._target, self._target.topology
        variables = {
            environment.SERVICE: target.service.name,
            environment.STORE: self._weak("Name", target.store_name),
            environment.HOST: self._weak("Host", target.endpoint.address),
            environment.PORT: self._weak("Port", target.endpoint.port_text),
            environment.TLS: str(topology.tls).lower(),
            environment.CLUSTER_MODE: str(topology.cluster_mode).lower(),
            environment.ENGINE: topology.engine.name,
            environment.ENGINE_VERSION: topology.engine.version,
            environment.KEY_PREFIX: self._key_prefix,
            environment.BUDGET_SECONDS: str(_BUDGET.to_seconds()),
            environment.DIGEST: cdk.Lazy.string(_Digest(target)),
        }
        if topology.plaintext and topology.tls:
            variables[environment.PLAINTEXT] = "true"
        if target.service.serverless:
            variables[environment.SERVERLESS] = "true"
        if topology.shards is not None and topology.replicas is not None:
            variables[environment.SHARDS] = str(topology.shards)
            variables[environment.REPLICAS] = str(topology.replicas)
        # In cluster mode the cluster itself says where its replicas are.
        if target.reader_endpoint is not None and topology.replicas and not topology.cluster_mode:
            variables[environment.READER_HOST] = self._weak("ReaderHost", target.reader_endpoint.address)
            variables[environment.READER_PORT] = self._weak("ReaderPort", target.reader_endpoint.port_text)
        return variables | self._authentication()

    def _authentication(self) -> dict[str, str]:
        if self.user is None:
            return {environment.AUTHENTICATION: "none"}
        if self.user.secret is None:
            return {environment.AUTHENTICATION: "iam", environment.USER: self.user.user_name}
        return {
            environment.AUTHENTICATION: "password",
            environment.USER: self.user.user_name,
            environment.SECRET_ARN: self._weak("SecretArn", self.user.secret.secret_arn),
        }

    def _let_in(self) -> None:
        """Open the network and let the function sign in, by values that do not lock the store's stack."""
        from aws_cdk import aws_iam as iam

        target = self._target
        # Imports, so that the rules stand here and not with the store's own groups.
        for number, group in enumerate(target.security_groups, start=1):
            store_group = ec2.SecurityGroup.from_security_group_id(
                self._store_security_groups, str(number), self._weak(f"SecurityGroup{number}", group.security_group_id)
            )
            self.function.connections.allow_to(store_group, target.ports, f"Smoke test of {target.node.path}")
        if self.user is None:
            return
        if self.user.secret is not None:
            self._reach_secret(self.user.secret)
            return
        iam.Grant.add_to_principal(
            grantee=self.function,
            actions=[target.service.connect_action],
            resource_arns=[target.service.store_arn(target, self._weak("Name", target.store_name)), self.user.user_arn],
        )

    def _reach_secret(self, secret: secretsmanager.ISecret) -> None:
        from aws_cdk import aws_secretsmanager as secretsmanager

        network = self._network()
        # The subnets have no way out: the secret is read through an endpoint inside them.
        endpoint = network.add_secrets_endpoint()
        self.function.connections.allow_to(endpoint, ec2.Port.tcp(443), "Smoke test to Secrets Manager")
        readable = secretsmanager.Secret.from_secret_complete_arn(
            self, "Secret", self._weak("SecretArn", secret.secret_arn)
        )
        readable.grant_read(self.function)

    def _weak(self, name: str, value: str) -> str:
        return read_weakly(self, self._target, name, value)

    def _create_trigger(self) -> triggers.Trigger:
        from aws_cdk import triggers

        # Deleting the role before the function's network interfaces are gone leaves the security group undeletable
        # (aws/aws-cdk issue 6701).
        if self.function.role is not None:
            self._security_group.node.add_dependency(self.function.role)
        # All of it: the rules and the policy that the function needs are children of these.
        return triggers.Trigger(
            self,
            "Trigger",
            handler=self.function,
            timeout=_TRIGGER_TIMEOUT,
            execute_after=[self._target, self.function, self._security_group, self._store_security_groups],
        )

    def _network(self) -> RedisNetwork:
        network = self._target.network
        if network is None:
            mend = "give `network` to the import: the function stands in its subnets"
            path = self._target.node.path
            raise ConfigurationError(self.node.path, [problem("target", path, "it has no network", mend)])
        return network


@jsii.implements(cdk.IStableStringProducer)
class _Digest:
    """Changes with any property of any resource of the target.

    CloudFormation runs a trigger again only when its function changes; with this in its environment, the function
    changes when the store does.
    """

    def __init__(self, target: Store) -> None:
        self._target = target

    def produce(self) -> str:
        stack = cdk.Stack.of(self._target)
        properties = {
            child.node.path: stack.resolve(child._cfn_properties)
            for child in self._target.node.find_all()
            if isinstance(child, cdk.CfnResource)
        }
        return hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()[:16]
