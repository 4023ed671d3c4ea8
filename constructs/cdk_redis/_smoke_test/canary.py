"""A smoke test on a schedule: the rule that runs it, and the alarm that tells of what it found, or that it stopped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.errors import Problems
from cdk_redis._store.notifications import let_alarm_publish
from cdk_redis_runtime._client import environment

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_events as events
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sns as sns

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
# CloudWatch: "Period multiplied by EvaluationPeriods can't be more than 604,800 seconds", and a day below one hour.
_LONGEST_PERIOD = 7 * 24 * 60


def alarm_period(scope: Construct, schedule: events.Schedule, given: cdk.Duration | None) -> cdk.Duration:
    """Over how long a canary's runs are looked at: two runs, so that an ordinary delay between them is no alarm.

    Args:
        scope: For messages.
        schedule: When the canary runs.
        given: What the user asked for, if anything.

    Raises:
        ConfigurationError: If the schedule does not tell how far apart runs are, or CloudWatch takes no such period.
    """
    problems = Problems(scope)
    rate = _RATE.fullmatch(schedule.expression_string)
    if given is not None:
        minutes = given.to_minutes(integral=False)
    elif rate is not None:
        minutes = 2 * int(rate[1]) * _MINUTES[rate[2]]
    else:
        reason = "only a rate tells how far apart the runs are"
        problems.add(
            "alarm_period", given, reason, "give the time that two runs take, Duration.days(2) for a daily one"
        )
        minutes = 1
    if minutes != int(minutes) or not 1 <= minutes <= _LONGEST_PERIOD:
        reason = "CloudWatch looks at whole minutes, from 1 minute to 7 days"
        hint = "run it more often, or give alarm_period"
        problems.add("alarm_period", f"{minutes:g} minutes", reason, hint)
    problems.raise_if_any()
    return cdk.Duration.minutes(minutes)


class Canary(Construct):
    """Runs a smoke test's function on a schedule.

    Attributes:
        rule: Starts each run.
        alarm: Goes off when a check fails, and when no run reports.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        function: lambda_.IFunction,
        schedule: events.Schedule,
        period: cdk.Duration,
        topic: sns.ITopic | None,
        service: str,
        store_name: str,
        store_path: str,
    ) -> None:
        """Define the rule and the alarm; see `SmokeTest`."""
        from aws_cdk import aws_events as events
        from aws_cdk import aws_events_targets as targets

        super().__init__(scope, id)
        self.rule = events.Rule(
            self,
            "Rule",
            description=f"Runs the smoke test of {store_path}",
            schedule=schedule,
            # A run that could not start in time is made up for by the next; the alarm tells of two that are missing.
            targets=[
                cast(
                    "events.IRuleTarget",
                    targets.LambdaFunction(function, retry_attempts=0, max_event_age=cdk.Duration.seconds(60)),
                )
            ],
        )
        self.alarm = self._create_alarm(service, store_name, store_path, period)
        if topic is not None:
            from aws_cdk import aws_cloudwatch_actions as actions

            tell = cast("cloudwatch.IAlarmAction", actions.SnsAction(topic))
            self.alarm.add_alarm_action(tell)
            self.alarm.add_ok_action(tell)
            let_alarm_publish(self.alarm, topic)

    def _create_alarm(self, service: str, store_name: str, path: str, period: cdk.Duration) -> cloudwatch.Alarm:
        from aws_cdk import aws_cloudwatch as cloudwatch

        return cloudwatch.Alarm(
            self,
            "Alarm",
            alarm_description=f"The smoke test of {path} failed, or did not run: its log group says why",
            metric=cloudwatch.Metric(
                namespace=environment.DEFAULT_METRICS_NAMESPACE,
                metric_name=environment.METRIC_FAILED,
                dimensions_map={environment.DIMENSION_SERVICE: service, environment.DIMENSION_STORE: store_name},
                statistic="Sum",
                period=period,
            ),
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            threshold=0,
            evaluation_periods=1,
            # A canary that fell silent proves nothing: that is for someone to look at, too.
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
