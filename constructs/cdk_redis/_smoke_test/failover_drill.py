"""A state machine, started by hand, that fails over a shard and measures how clients are affected.

FailoverDrill(self, "Drill", target=cache)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import unique_name
from cdk_redis._core.presets import encryption_key_of
from cdk_redis._core.tokens import is_token
from cdk_redis._smoke_test.checks import check_function, check_target, seconds_of
from cdk_redis._smoke_test.failover_steps import acknowledge_findings, check_alarms, create_machine, drill_chain
from cdk_redis._smoke_test.store_function import FunctionOptions, StoreFunction, StoreFunctionConstruct
from cdk_redis._store.checks import MAX_SHARDS
from cdk_redis_runtime._client import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs

    from cdk_redis._access.users import User
    from cdk_redis._store.interface import IStore
    from cdk_redis._values.preset import Preset

_HANDLER = "cdk_redis_runtime.drill_lambda.handler"
# After the writes and reads, the function looks for lost writes and deletes the keys; it stops a minute before the end.
_SPARE_SECONDS = 90
_MIN_SECONDS, _MAX_SECONDS = 10, 13 * 60
_DEFAULT_SECONDS = 5 * 60
# Time for the function to start, and for writes and reads that succeed before the failover.
_BEFORE_SECONDS = 30

# CloudWatch Logs allows ten resource policies in a Region. Log groups with this prefix share one entry of a policy.
# (https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html)
_LOG_PREFIX = "/aws/vendedlogs/states/"
_MAX_LOG_NAME = 512


class FailoverDrill(StoreFunctionConstruct):
    """Fails over a shard and reports how an application with the client of ``connect()`` is affected.

    Defines a state machine that no deployment starts. When you start it, it runs a function in the store's subnets
    that writes to and reads from every shard, and half a minute later calls ``TestFailover`` (ElastiCache) or
    ``FailoverShard`` (MemoryDB). Its output is the function's report: whether another node serves the shard now,
    seconds of failed writes and reads, the longest gap, errors by type, and acknowledged writes that were lost.

    The state machine logs its executions and sends traces to X-Ray.

    AWS allows a few such failovers a day: 15 node groups in 24 hours for ElastiCache. A shard needs a replica.

    Attributes:
        target: The store.
        state_machine: Start it with ``cdk-redis drill ARN``, which shows the progress and draws a picture, or with any
            input: ``aws stepfunctions start-execution --state-machine-arn ...``.
        function: Writes and reads.
        role: Role of the function, to grant it more.
        security_groups: Security groups of the function; ``connections`` adds rules to them.
        log_group: Log group of the function, which has the report as well.
        execution_log_group: Log group of the state machine, with the events of each execution.
        user: The user that it signs in as; None for a store with open access.
    """

    @checked_arguments
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        target: IStore,
        user: User | None = None,
        shard: str = "0001",
        duration: cdk.Duration | None = None,
        failover_after: cdk.Duration | None = None,
        key_prefix: str = environment.DEFAULT_DRILL_KEY_PREFIX,
        role: iam.IRole | None = None,
        log_group: logs.ILogGroup | None = None,
        log_retention: logs.RetentionDays | None = None,
        log_kms_key: kms.IKey | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        blocking_alarms: Sequence[cloudwatch.IAlarm] = (),
        preset: Preset | None = None,  # noqa: ARG002 - `checked_arguments` reads it
    ) -> None:
        """Define the drill.

        Args:
            scope: Construct this one is defined in: the store's stack, or a stack that is deployed after it.
            id: Id within the scope.
            target: The store; each shard has at least one replica.
            user: User of the target to sign in as, with the access string `AccessString.smoke_test` of the prefix.
                Default: - a new user, as for `SmokeTest`.
            shard: Node group (ElastiCache) or shard (MemoryDB) that fails over, by the service's name for it.
            duration: How long it writes and reads, 10 seconds to 13 minutes in whole seconds. AWS can take minutes to
                fail over a shard; if the drill ends earlier, the report shows it (``failover_seen``, ``recovered``).
                Default: - 5 minutes.
            failover_after: Time before the failover, the start of the function included: whole seconds, from 1 second
                to less than the duration. Default: - 30 seconds, or a third of a duration below 90 seconds.
            key_prefix: Prefix of all keys that the drill writes. It touches no other keys.
            role: Role of the function. Lambda must be able to assume it, and it needs the managed policy
                ``service-role/AWSLambdaVPCAccessExecutionRole`` or similar permissions. The permission to sign in to
                the store is added to it. Default: - a new role, which can write to the log group of the function,
                manage network interfaces and sign in.
            log_group: Log group of the function and the state machine. Default: - a new one for each of the two.
            log_retention: How long the new log groups keep reports; AWS Control Tower requires a year or more.
                Default: - one month.
            log_kms_key: Key that encrypts the new log groups. CloudWatch Logs is allowed to use it in its policy, if
                it is defined in this app. Default: - a key owned by CloudWatch Logs.
            security_groups: Security groups of the function. The rules to the store are added to them.
                Default: - a new one that allows connections to the store only.
            blocking_alarms: Alarms of this Region and account, at most 100. The state machine reads them first, and
                does not start the drill if one of them is on (``ALARM``) or was deleted, whoever or whatever started
                it. Its role gets the permission ``cloudwatch:DescribeAlarms`` for these alarms; for all alarms if one
                of them is a composite or an imported alarm, because CloudWatch allows no less. Default: - none: it
                always starts.
            preset: Values for parameters that are left out, such as ``Preset.prod()``. Default: - the preset of the
                nearest scope that has one, see `Preset.use_in`; without one, the defaults of these parameters.

        Raises:
            ConfigurationError: If the store has no replicas, the target is imported without a network or a user, or
                another parameter is invalid.
        """
        super().__init__(scope, id)
        check_target(self, target)
        self._target = target
        problems = Problems(self)
        self._check_replicas(problems)
        options = FunctionOptions(
            user=user,
            key_prefix=key_prefix,
            role=role,
            log_group=log_group,
            log_retention=log_retention,
            log_kms_key=log_kms_key,
            security_groups=security_groups,
        )
        check_function(problems, self, target, options)
        self._check_shard(problems, shard)
        seconds, before = _check_times(problems, duration, failover_after)
        check_alarms(problems, self, blocking_alarms)
        problems.raise_if_any()

        parts = StoreFunction(
            self,
            target=target,
            options=options,
            user_name="failover-drill",
            purpose="Failover drill",
            handler=_HANDLER,
            timeout=cdk.Duration.seconds(seconds + _SPARE_SECONDS),
            environment={
                environment.KEY_PREFIX: key_prefix,
                environment.DRILL_SECONDS: str(seconds),
            },
        )
        self._use(parts)
        self.execution_log_group = self.log_group if log_group else self._create_log_group(log_retention, log_kms_key)
        steps = drill_chain(
            self,
            target,
            parts.weak("Name", target.store_name),
            self.function,
            shard=shard,
            before=cdk.Duration.seconds(before),
            alarms=blocking_alarms,
        )
        comment = f"Fails over a shard of {target.node.path} and reports what a client saw"
        self.state_machine = create_machine(self, comment, steps, self.execution_log_group)
        acknowledge_findings(self.state_machine, self.function)

    def _check_replicas(self, problems: Problems) -> None:
        replicas = self._target.topology.replicas
        if replicas is None:
            reason = "only the service can fail over a serverless cache"
            problems.add("target", self._target.node.path, reason, "use a replication group or a cluster")
        elif not is_token(replicas) and replicas < 1:
            reason = "a shard without replicas cannot fail over"
            problems.add("target", self._target.node.path, reason, "give the store replicas=1 or more")

    def _create_log_group(self, retention: logs.RetentionDays | None, kms_key: kms.IKey | None) -> logs.ILogGroup:
        from aws_cdk import aws_logs as logs

        parent = Construct(self, "Executions")
        log_group = logs.LogGroup(
            parent,
            "Logs",
            log_group_name=_LOG_PREFIX + unique_name(parent, max_length=_MAX_LOG_NAME - len(_LOG_PREFIX)),
            retention=retention or logs.RetentionDays.ONE_MONTH,
            # The policy of the key allows all log groups, see `StoreFunction`.
            encryption_key=kms_key or encryption_key_of(self),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        return cast("logs.ILogGroup", log_group)

    def _check_shard(self, problems: Problems, shard: str) -> None:
        if is_token(shard):
            return
        topology = self._target.topology
        hint = "give the name of a shard that the store has"
        # "Pattern: \\d+", one to four digits, https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_TestFailover.html
        if not re.fullmatch(r"[0-9]{1,4}", shard):
            problems.add("shard", shard, 'the name of a shard has up to four digits, such as "0001"', hint)
        elif not topology.cluster_mode and int(shard) != 1:
            problems.add("shard", shard, 'a store without cluster mode has one shard, "0001"', "leave it out")
        # Shards that were added later can have higher numbers than the store has shards.
        elif not 1 <= int(shard) <= MAX_SHARDS:
            problems.add("shard", shard, f'a store has shards "0001" to "0{MAX_SHARDS}"', hint)


def _check_times(problems: Problems, duration: object, failover_after: object) -> tuple[int, int]:
    """Return the seconds of the drill, and the seconds before the failover."""
    seconds, before = (
        seconds_of(problems, name, given)
        for name, given in (("duration", duration), ("failover_after", failover_after))
    )
    total = float(_DEFAULT_SECONDS) if seconds is None else seconds
    if not _is_whole(total) or not _MIN_SECONDS <= total <= _MAX_SECONDS:
        problems.add("duration", f"{total:g} s", "a drill takes 10 seconds to 13 minutes, in whole seconds")
    if before is None:
        before = int(min(_BEFORE_SECONDS, total / 3))
    elif not _is_whole(before) or not 1 <= before < total:
        reason = (
            f"the failover begins after 1 second or more, in whole seconds, and within the {total:g} s of the drill"
        )
        problems.add("failover_after", f"{before:g} s", reason)
    return int(total), int(before)


def _is_whole(seconds: float) -> bool:
    return seconds == int(seconds)
