"""A smoke test on a schedule: the rule that runs it, and the alarm for failed checks and missing runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.acknowledgements import acknowledge
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import description_of
from cdk_redis._smoke_test.checks import seconds_of
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
_MAX_PERIOD = 7 * 24 * 60


def alarm_period_of(problems: Problems, schedule: events.Schedule | None, given: object) -> cdk.Duration | None:
    """Return the period of a canary's alarm: by default the time of two runs, so that a late run sets off no alarm.

    Args:
        problems: Where to add problems.
        schedule: Schedule of the canary; None without a canary.
        given: The parameter `alarm_period`; None if it is left out.
    """
    seconds = seconds_of(problems, "alarm_period", given)
    if schedule is None:
        return None
    rate = _RATE.fullmatch(schedule.expression_string)
    if seconds is not None:
        minutes = seconds / 60
    elif given is not None:
        return None
    elif rate is not None:
        minutes = 2 * int(rate[1]) * _MINUTES[rate[2]]
    else:
        reason = "it is required if the schedule is not a rate"
        problems.add("alarm_period", None, reason, "give the time of two runs, such as Duration.days(2) for daily runs")
        return None
    if minutes != int(minutes) or not 1 <= minutes <= _MAX_PERIOD:
        reason = "CloudWatch takes whole minutes, 1 minute to 7 days"
        problems.add("alarm_period", f"{minutes:g} minutes", reason, "give alarm_period, or run the test more often")
        return None
    return cdk.Duration.minutes(minutes)


class Canary(Construct):
    """Runs the function of a smoke test on a schedule.

    Attributes:
        rule: Starts each run.
        alarm: Goes off when a check fails, or when no run reports.
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
            description=description_of(f"Runs the smoke test of {store_path}"),
            schedule=schedule,
            # A run that cannot start is not retried: the next run follows, and two missing runs set off the alarm.
            targets=[
                cast(
                    "events.IRuleTarget",
                    targets.LambdaFunction(function, retry_attempts=0, max_event_age=cdk.Duration.seconds(60)),
                )
            ],
        )
        acknowledge(self.rule, {"Serverless-EventBusDLQ": "a run that cannot start sets off the alarm"})
        self.alarm = create_alarm(
            self, period=period, topic=topic, service=service, store_name=store_name, store_path=store_path
        )


def create_alarm(
    scope: Construct,
    *,
    period: cdk.Duration | None,
    topic: sns.ITopic | None,
    service: str,
    store_name: str,
    store_path: str,
) -> cloudwatch.Alarm:
    """Define the alarm for failed checks.

    Args:
        scope: Construct whose child the alarm becomes.
        period: Time within which a run must report. None if only deployments run the test: then the alarm stays as the
            last run has set it.
        topic: Topic that it notifies.
        service: Service of the store.
        store_name: Name of the store.
        store_path: Path of the store.
    """
    from aws_cdk import aws_cloudwatch as cloudwatch

    missing = "" if period is None else " or did not run"
    treatment = cloudwatch.TreatMissingData
    alarm = cloudwatch.Alarm(
        scope,
        "Alarm",
        alarm_description=description_of(
            f"The smoke test of {store_path} failed{missing}; its log group has the reports"
        ),
        metric=cloudwatch.Metric(
            namespace=environment.DEFAULT_METRICS_NAMESPACE,
            metric_name=environment.METRIC_FAILED,
            dimensions_map={environment.DIMENSION_SERVICE: service, environment.DIMENSION_STORE: store_name},
            statistic="Sum",
            period=period or cdk.Duration.minutes(1),
        ),
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        threshold=0,
        evaluation_periods=1,
        # With a schedule: without data, it is unknown whether the store works.
        treat_missing_data=treatment.IGNORE if period is None else treatment.BREACHING,
    )
    if topic is not None:
        from aws_cdk import aws_cloudwatch_actions as actions

        notify = cast("cloudwatch.IAlarmAction", actions.SnsAction(topic))
        alarm.add_alarm_action(notify)
        alarm.add_ok_action(notify)
        let_alarm_publish(alarm, topic)
    else:
        acknowledge(alarm, {"CloudWatchAlarmAction": "no topic was given: it shows in CloudWatch"})
    return alarm
