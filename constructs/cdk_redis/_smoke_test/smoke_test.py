"""A smoke test at the end of the deploy, which fails it if the store is not what was asked for.

SmokeTest(self, "SmokeTest", target=cache)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.errors import Problems
from cdk_redis._smoke_test.canary import Canary
from cdk_redis._smoke_test.canary import alarm_period as canary_period
from cdk_redis._smoke_test.digest import check_rerun_on, digest
from cdk_redis._smoke_test.store_function import StoreFunction
from cdk_redis_runtime._client import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_events as events
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_sns as sns
    from aws_cdk import triggers

    from cdk_redis._access.users import User
    from cdk_redis._store.store import Store

_HANDLER = "cdk_redis_runtime.smoke_lambda.handler"
_BUDGET = cdk.Duration.seconds(20)
# Beyond the budget: the start of the function, and time to write the report.
_FUNCTION_TIMEOUT = cdk.Duration.seconds(60)
_LONGEST_LATENCY_MS = 60_000
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

    With a schedule it is a canary as well: the same function, metrics in the namespace ``CdkRedis/SmokeTest``
    (``ChecksPassed``, ``ChecksFailed``, ``ChecksSkipped``, ``Duration``, and the percentiles of the latency where
    it was measured, by ``Service`` and ``Store``), and an alarm.

    Attributes:
        function: The function.
        trigger: Runs the function during the deployment.
        log_group: Where the report is written, one line of JSON a run.
        user: The user that it signs in as; None for a store with open access.
        alarm: Goes off when a scheduled run finds something wrong, or none reports; None without a schedule.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        target: Store,
        user: User | None = None,
        key_prefix: str = "cdk-redis-smoke:",
        latency_limit: cdk.Duration | None = None,
        rerun_on: Sequence[object] = (),
        schedule: events.Schedule | None = None,
        alarm_topic: sns.ITopic | None = None,
        alarm_period: cdk.Duration | None = None,
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
            latency_limit: What the median round trip to each shard may take, 1 ms to 60 s in whole milliseconds.
                Default: - 100 ms.
            rerun_on: Constructs and values: the test also runs again when one of them changes, at the next deploy. Of
                a construct the properties of all its resources count; a value is text, a number, a boolean, or a list
                or dict of them. Give what the test depends on and cannot see: a network ACL, a key's policy, a
                property override of a resource that this library does not define. Default: - the store, its users,
                its user group or ACL, its parameter group and its subnet group.
            schedule: Runs it again and again after the deploy, ``events.Schedule.rate(Duration.minutes(5))``, with
                metrics and an alarm; runs never overlap, for which one of the account's concurrent executions is
                reserved. Default: - it runs at deploys only.
            alarm_topic: Told when a check of a scheduled run fails, when no run reports, and when all is well again.
                CloudWatch gets the right to use its key, where it has one of this app. Default: - the alarm tells
                nobody.
            alarm_period: What the alarm looks at, whole minutes up to 7 days; at least two runs, or a delay between
                them counts as silence. Default: - twice the rate of the schedule; a cron schedule needs it.

        Raises:
            ConfigurationError: If the target is imported without a network or a user, takes no writes, has keys that
                cannot expire, or is the scope itself; if the latency's limit is out of range; or if the alarm has no
                schedule or no usable period.
        """
        super().__init__(scope, id)
        self._target = target
        self._rerun_on = rerun_on
        limit = None if latency_limit is None else latency_limit.to_milliseconds(integral=False)
        self._check(limit, schedule, alarm_topic, alarm_period)
        period = None if schedule is None else canary_period(self, schedule, alarm_period)
        parts = StoreFunction(
            self,
            target=target,
            user=user,
            user_name="smoke-test",
            key_prefix=key_prefix,
            purpose="Smoke test",
            handler=_HANDLER,
            timeout=_FUNCTION_TIMEOUT,
            environment=self._environment(key_prefix, limit, scheduled=schedule is not None),
            at_most_one=schedule is not None,
        )
        self.function: lambda_.Function = parts.function
        self.log_group: logs.LogGroup = parts.log_group
        self.user = parts.user
        self.trigger = self._create_trigger(parts)
        self.alarm: cloudwatch.Alarm | None = None
        if schedule is not None and period is not None:
            canary = Canary(
                self,
                "Canary",
                function=cast("lambda_.IFunction", self.function),
                schedule=schedule,
                period=period,
                topic=alarm_topic,
                service=target.service.name,
                store_name=parts.weak("Name", target.store_name),
                store_path=target.node.path,
            )
            # No first run beside the deploy's own, which would be refused, and no alarm before there is a metric.
            canary.node.add_dependency(self.trigger)
            self.alarm = canary.alarm

    def _check(
        self,
        latency_limit_ms: float | None,
        schedule: events.Schedule | None,
        alarm_topic: sns.ITopic | None,
        alarm_period: cdk.Duration | None,
    ) -> None:
        problems = Problems(self)
        self._check_target(problems)
        check_rerun_on(problems, self._rerun_on)
        if latency_limit_ms is not None and not (
            latency_limit_ms == int(latency_limit_ms) and 1 <= latency_limit_ms <= _LONGEST_LATENCY_MS
        ):
            reason = f"a median round trip may take whole milliseconds, from 1 to {_LONGEST_LATENCY_MS}"
            hint = "give Duration.millis(100), or what the store's distance asks for"
            problems.add("latency_limit", f"{latency_limit_ms:g} ms", reason, hint)
        if schedule is None:
            for name, given in (("alarm_topic", alarm_topic), ("alarm_period", alarm_period)):
                if given is not None:
                    problems.add(name, "one", "only a scheduled smoke test has an alarm", "give a schedule as well")
        problems.raise_if_any()

    def _check_target(self, problems: Problems) -> None:
        target, path = self._target, self._target.node.path
        if target in self.node.scopes:
            hint = "define the smoke test beside the store, or in a stack after it"
            problems.add("scope", path, "a store cannot wait for a test within itself", hint)
        if target.read_only:
            hint = "test the primary, whose data it has"
            problems.add("target", path, "it takes no writes, and a smoke test writes", hint)
        if not target.keys_expire:
            reason = "Multi-Region clusters have no time to live, which all that the smoke test writes has"
            problems.add("target", path, reason)

    def _environment(self, key_prefix: str, latency_limit_ms: float | None, *, scheduled: bool) -> dict[str, str]:
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
        if scheduled:
            variables[environment.METRICS_NAMESPACE] = environment.DEFAULT_METRICS_NAMESPACE
        return variables

    def _create_trigger(self, parts: StoreFunction) -> triggers.Trigger:
        from aws_cdk import triggers

        return triggers.Trigger(
            self,
            "Trigger",
            handler=parts.function,
            timeout=_TRIGGER_TIMEOUT,
            execute_after=parts.prerequisites,
        )
