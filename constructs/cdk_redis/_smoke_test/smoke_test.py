"""A smoke test at the end of a deployment. The deployment fails if the store does not work as declared.

SmokeTest(self, "SmokeTest", target=cache)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.acknowledgements import acknowledge_provider
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import value_of
from cdk_redis._core.errors import Problems
from cdk_redis._core.location import check_location
from cdk_redis._smoke_test.canary import Canary, alarm_period_of, create_alarm
from cdk_redis._smoke_test.checks import check_function, check_target, seconds_of
from cdk_redis._smoke_test.digest import check_rerun_on, digest
from cdk_redis._smoke_test.on_failure import OnFailure
from cdk_redis._smoke_test.store_function import FunctionOptions, StoreFunction, StoreFunctionConstruct
from cdk_redis_runtime._client import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_events as events
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_sns as sns
    from aws_cdk import triggers

    from cdk_redis._access.users import User
    from cdk_redis._store.interface import IStore
    from cdk_redis._values.preset import Preset

_HANDLER = "cdk_redis_runtime.smoke_lambda.handler"
_BUDGET = cdk.Duration.seconds(20)
# Longer than the budget: the function starts first, and writes the report at the end.
_FUNCTION_TIMEOUT = cdk.Duration.seconds(60)
_MAX_LATENCY_MS = 60_000
_TRIGGER_TIMEOUT = cdk.Duration.seconds(90)

_TRIGGER_PROVIDER = "AWSCDK.TriggerCustomResourceProviderCustomResourceProvider"


class SmokeTest(StoreFunctionConstruct):
    """Connects to a store at the end of each deployment that changes it, and fails the deployment if a check fails.

    Defines a function in the store's subnets, a trigger that runs it after the store and all that the store depends
    on, a log group, and a user that can access the keys of one prefix only. It checks TLS, signing in, that
    connections without credentials are rejected, the topology, a write and a read on every shard, a read on every
    replica, and that the user's permissions are enforced. It runs again when a property of the store changes, or of
    its users, its user group or ACL, its parameter group or its subnet group; `rerun_on` adds others.

    If a check fails, the deployment fails, and CloudFormation rolls back the stack of the smoke test. In the stack of
    the store, this also rolls back the change of the store. In a separate stack after the store's, the store stays
    as it is and can be examined, and the next run takes seconds. A smoke test in another stack reads the store's values
    from plain outputs instead of exports, so that the store can still be replaced.

    For those whose deployments must not fail, `on_failure="warn"` turns a failure into an alarm.

    With a schedule it is also a canary: the same function, metrics in the namespace ``CdkRedis/SmokeTest``
    (``ChecksPassed``, ``ChecksFailed``, ``ChecksSkipped``, ``Duration``, and percentiles of the latency if it was
    measured, by ``Service`` and ``Store``), and an alarm.

    Attributes:
        target: The store.
        function: The function.
        role: Role of the function, to grant it more.
        security_groups: Security groups of the function; ``connections`` adds rules to them.
        log_group: Log group of the reports, one line of JSON a run.
        trigger: Runs the function during the deployment.
        user: The user that it signs in as; None for a store with open access.
        alarm: Goes off when a check fails, or when no scheduled run reports; None without a schedule, unless failures
            are warnings.
    """

    @checked_arguments
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        target: IStore,
        user: User | None = None,
        key_prefix: str = "cdk-redis-smoke:",
        latency_limit: cdk.Duration | None = None,
        rerun_on: Sequence[object] = (),
        role: iam.IRole | None = None,
        log_group: logs.ILogGroup | None = None,
        log_retention: logs.RetentionDays | None = None,
        log_kms_key: kms.IKey | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        schedule: events.Schedule | None = None,
        alarm_topic: sns.ITopic | None = None,
        alarm_period: cdk.Duration | None = None,
        on_failure: OnFailure | str = OnFailure.FAIL,
        preset: Preset | None = None,  # noqa: ARG002 - `checked_arguments` reads it
    ) -> None:
        """Define the smoke test.

        Args:
            scope: Construct this one is defined in: the store's stack, or a stack that is deployed after it.
            id: Id within the scope.
            target: The store.
            user: User of the target to sign in as, with the access string `AccessString.smoke_test`.
                Default: - a new user: an IAM user, or a password user if the engine has no IAM users. The password is
                read through an interface endpoint of the network (about 8 USD a month and zone).
            key_prefix: Prefix of all keys that the smoke test writes. It touches no other keys.
            latency_limit: Longest median round trip to each shard, 1 ms to 60 s in whole milliseconds.
                Default: - 100 ms.
            rerun_on: Constructs and values whose change runs the test again at the next deployment. Of a construct,
                the properties of all its resources count. A value is text, a number, a boolean, or a list or dict of
                these. Use it for what the test depends on and cannot read: a network ACL, the policy of a key, a
                property override of a resource that this library did not define. Default: - only the store, its
                users, its user group or ACL, its parameter group and its subnet group.
            role: Role of the function. Lambda must be able to assume it, and it needs the managed policy
                ``service-role/AWSLambdaVPCAccessExecutionRole`` or similar permissions. The permission to sign in to
                the store is added to it. Default: - a new role, which can write to the log group of the function,
                manage network interfaces and sign in.
            log_group: Log group of the function. Default: - a new one.
            log_retention: How long the new log group keeps reports; AWS Control Tower requires a year or more.
                Default: - one month.
            log_kms_key: Key that encrypts the new log group. CloudWatch Logs is allowed to use it in its policy, if it
                is defined in this app. Default: - a key owned by CloudWatch Logs.
            security_groups: Security groups of the function. The rules to the store are added to them.
                Default: - a new one that allows connections to the store only.
            schedule: Runs the test again and again after the deployment, such as
                ``events.Schedule.rate(Duration.minutes(5))``, with metrics and an alarm. Runs never overlap; this
                reserves one of the account's concurrent executions. Default: - it runs at deployments only.
            alarm_topic: Topic that receives the alarm, when a check fails or no scheduled run reports, and its end.
                There is an alarm with a schedule, and with ``on_failure="warn"``. If the topic's key is defined in this
                app, CloudWatch is allowed to use the key.
                Default: - the alarm notifies nobody.
            alarm_period: Period of the alarm, in whole minutes up to 7 days. It must be at least two runs long, or
                the alarm goes off when a run is late. Default: - twice the rate of the schedule. Required with a cron
                schedule.
            on_failure: With ``"warn"``, a deployment whose test fails succeeds, and the alarm goes off. The report says
                that the test failed, and ``cdk-redis report`` exits with 1. A deployment still fails if the function
                itself cannot run. Default: - ``"fail"``.
            preset: Values for parameters that are left out, such as ``Preset.prod()``. Default: - the preset of the
                nearest scope that has one, see `Preset.use_in`; without one, the defaults of these parameters.

        Raises:
            ConfigurationError: If the target is imported without a network or a user, is read-only, has keys that
                cannot expire, or is the scope itself; if `alarm_topic` or `alarm_period` is given without an alarm; or
                if another parameter is invalid.
        """
        super().__init__(scope, id)
        check_target(self, target)
        self._target = target
        self._rerun_on = rerun_on
        problems = Problems(self)
        self._check_target(problems)
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
        limit = self._check_latency_limit(problems, latency_limit)
        check_rerun_on(problems, rerun_on)
        self._warns = value_of(problems, "on_failure", on_failure, OnFailure) is OnFailure.WARN
        period = self._check_schedule(problems, schedule, alarm_topic, alarm_period)
        problems.raise_if_any()

        parts = StoreFunction(
            self,
            target=target,
            options=options,
            user_name="smoke-test",
            purpose="Smoke test",
            handler=_HANDLER,
            timeout=_FUNCTION_TIMEOUT,
            environment=self._environment(key_prefix, limit, with_metrics=schedule is not None or self._warns),
            at_most_one=schedule is not None,
        )
        self._use(parts)
        self.trigger = self._create_trigger(parts)
        self.alarm = self._create_alarm(parts, schedule, period, alarm_topic)

    def _create_alarm(
        self,
        parts: StoreFunction,
        schedule: events.Schedule | None,
        period: cdk.Duration | None,
        topic: sns.ITopic | None,
    ) -> cloudwatch.Alarm | None:
        """Define the schedule and the alarm, as far as they are asked for."""
        target = self._target
        if schedule is None and not self._warns:
            return None
        store_name = parts.weak("Name", target.store_name)
        store = {"service": target.service.name, "store_name": store_name, "store_path": target.node.path}
        if schedule is None or period is None:
            alarm = create_alarm(self, period=None, topic=topic, **store)
            # The first run sets it.
            self.trigger.node.add_dependency(alarm)
            return alarm
        function = cast("lambda_.IFunction", self.function)
        canary = Canary(self, "Canary", function=function, schedule=schedule, period=period, topic=topic, **store)
        # After the deployment's run. Only one execution is reserved: a scheduled run at the same time would be
        # throttled, and the alarm would go off before there is a metric.
        canary.node.add_dependency(self.trigger)
        return canary.alarm

    def _check_latency_limit(self, problems: Problems, given: object) -> int | None:
        """Return the limit in milliseconds; None if it is left out or invalid."""
        seconds = seconds_of(problems, "latency_limit", given)
        if seconds is None:
            return None
        milliseconds = round(seconds * 1000, 6)
        if milliseconds == int(milliseconds) and 1 <= milliseconds <= _MAX_LATENCY_MS:
            return int(milliseconds)
        reason = f"a median round trip takes 1 to {_MAX_LATENCY_MS} whole milliseconds"
        problems.add("latency_limit", f"{milliseconds:g} ms", reason, "use for example Duration.millis(100)")
        return None

    def _check_schedule(
        self,
        problems: Problems,
        schedule: events.Schedule | None,
        alarm_topic: sns.ITopic | None,
        alarm_period: cdk.Duration | None,
    ) -> cdk.Duration | None:
        """Return the period of the alarm; None without a schedule or if a parameter is invalid."""
        check_location(problems, "alarm_topic", alarm_topic, "a topic", scope=self, user="the alarm")
        if schedule is None:
            if alarm_topic is not None and not self._warns:
                problems.note(
                    "alarm_topic: given without a schedule, but only a scheduled test has an alarm, and one with "
                    'on_failure="warn"'
                )
            if alarm_period is not None:
                problems.note("alarm_period: given without a schedule, which it depends on")
            return None
        return alarm_period_of(problems, schedule, alarm_period)

    def _check_target(self, problems: Problems) -> None:
        target, path = self._target, self._target.node.path
        if target in self.node.scopes:
            hint = "define the smoke test in the store's scope, or in a later stack"
            problems.add("scope", path, "a smoke test cannot be a child of its own target", hint)
        if target.read_only:
            problems.add("target", path, "it is read-only, and a smoke test writes", "test the primary")
        if not target.keys_expire:
            reason = "keys of Multi-Region clusters cannot expire, and a smoke test sets a time to live on its keys"
            problems.add("target", path, reason)

    def _environment(self, key_prefix: str, latency_limit_ms: float | None, *, with_metrics: bool) -> dict[str, str]:
        topology = self._target.topology
        variables = {
            environment.ENGINE: topology.engine.name,
            environment.ENGINE_VERSION: topology.engine.version,
            environment.KEY_PREFIX: key_prefix,
            environment.BUDGET_SECONDS: str(_BUDGET.to_seconds()),
            environment.DIGEST: digest(self, self._target, self._rerun_on),
        }
        if latency_limit_ms is not None:
            variables[environment.LATENCY_LIMIT_MS] = str(int(latency_limit_ms))
        if topology.plaintext and topology.tls:
            variables[environment.PLAINTEXT] = "true"
        if topology.shards is not None and topology.replicas is not None:
            variables[environment.SHARDS] = str(topology.shards)
            variables[environment.REPLICAS] = str(topology.replicas)
        if (policy := self._target.parameters.get("maxmemory-policy")) is not None:
            variables[environment.MAXMEMORY_POLICY] = policy
        if self._warns:
            variables[environment.ON_FAILURE] = environment.WARN
        if with_metrics:
            variables[environment.METRICS_NAMESPACE] = environment.DEFAULT_METRICS_NAMESPACE
        return variables

    def _create_trigger(self, parts: StoreFunction) -> triggers.Trigger:
        from aws_cdk import triggers

        trigger = triggers.Trigger(self, "Trigger", handler=parts.function, timeout=_TRIGGER_TIMEOUT)
        trigger.node.add_dependency(*parts.prerequisites)
        acknowledge_provider(self, _TRIGGER_PROVIDER)
        return trigger
