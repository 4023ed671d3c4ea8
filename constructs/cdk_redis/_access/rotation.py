"""The rotation of a user's password, or of an AUTH token: a function of this library and its schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct, IConstruct

from cdk_redis._access.secrets import secret_rotation_statements
from cdk_redis._core.acknowledgements import acknowledge
from cdk_redis._core.location import check_location
from cdk_redis._core.log_groups import create_log_group
from cdk_redis._core.naming import description_of
from cdk_redis_runtime._client import environment as runtime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_secretsmanager as secretsmanager

    from cdk_redis._core.errors import Problems

# Secrets Manager rotates "as often as every four hours", and at least every 1,000 days.
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
_SHORTEST_HOURS, _LONGEST_HOURS = 4, 1_000 * 24
# The function waits for changes: those of a store with many nodes take minutes. This is Lambda's limit.
_TIMEOUT = 15
# Clients of connect() read a secret at most once in 5 seconds, and the function has to end in time.
_SHORTEST_VALID_SECONDS, _LONGEST_VALID_SECONDS = 10, 10 * 60
_DEFAULT_DAYS = 30
_OUTSIDE = "it changes passwords by the API of the service, and has no network path to a store"
_REPEATED = "Secrets Manager invokes a step again that failed"
_ONE_AT_A_TIME = "Secrets Manager rotates a secret once at a time; new accounts have no concurrency to reserve"
_FINDINGS = {
    **dict.fromkeys(
        (f"{pack}-LambdaInsideVPC" for pack in ("HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321")), _OUTSIDE
    ),
    "CKV_AWS_117": _OUTSIDE,
    **dict.fromkeys(("LambdaDLQ", "CKV_AWS_116"), _REPEATED),
    **dict.fromkeys(("LambdaConcurrency", "CKV_AWS_115"), _ONE_AT_A_TIME),
    "Serverless-LambdaTracing": "its log says what each step did",
    "CKV_AWS_173": "no variable is secret, and Lambda encrypts them with its own key",
}
_INLINE_POLICY = {"IAMNoInlinePolicy": "it is deleted with its role, and no other role can have it"}


@dataclass(frozen=True)
class RotationOptions:
    """Parameters of `User.add_rotation`.

    Attributes:
        function: Rotation function; None to create one.
        every: Time between two rotations; None for 30 days.
        previous_valid_for: How long the previous password stays valid; None until the next rotation.
        log_retention: How long the log group keeps entries; None for a month.
        log_kms_key: Key of the log group; None for a key that CloudWatch Logs owns.
    """

    function: lambda_.IFunction | None
    every: cdk.Duration | None
    previous_valid_for: cdk.Duration | None
    log_retention: logs.RetentionDays | None
    log_kms_key: kms.IKey | None


@dataclass(frozen=True)
class RotatedPassword:
    """What is rotated.

    Attributes:
        secret: The secret with the password.
        variables: Variables of the function that name the owner of the password.
        actions: IAM actions that change and describe the owner.
        arn: ARN of the owner.
        owner: The resource that has to exist before the function can work.
        path: Path of the user, for descriptions.
    """

    secret: secretsmanager.ISecret
    variables: Mapping[str, str]
    actions: tuple[str, ...]
    arn: str
    owner: IConstruct
    path: str


class PasswordRotation(Construct):
    """Rotates the password of a user, or the AUTH token of a replication group; `User.add_rotation` returns it.

    Defines a function outside any VPC with its role, its log group and the permission for Secrets Manager to invoke it,
    and the secret's schedule. The function changes the password by the API of the service, and has no network path to
    the store. ``rotation.function.metric_errors()`` is the metric of failed rotations.

    Attributes:
        function: The rotation function, created or given.
        role: Role of the created function; None for a given one.
        log_group: Log group of the created function; None for a given one.
        schedule: The L1 construct of the schedule.
    """

    function: lambda_.IFunction
    role: iam.IRole | None
    log_group: logs.ILogGroup | None
    schedule: secretsmanager.CfnRotationSchedule

    def __init__(self, scope: Construct, id: str, *, rotated: RotatedPassword, options: RotationOptions) -> None:
        """Define the rotation.

        Args:
            scope: The user.
            id: Id within the scope.
            rotated: What is rotated.
            options: Checked options.
        """
        from aws_cdk import aws_iam as iam
        from aws_cdk import aws_secretsmanager as secretsmanager

        super().__init__(scope, id)
        self._rotated = rotated
        self.role = self.log_group = None
        self.function = options.function or self._create_function(options)
        rules = secret_rotation_statements(rotated.secret)
        rules.append(iam.PolicyStatement(actions=list(rotated.actions), resources=[rotated.arn]))
        for rule in rules:
            self.function.add_to_role_policy(rule)
        self.function.add_permission(
            # A given function may rotate several passwords.
            f"SecretsManager{'' if options.function is None else self.node.addr}",
            principal=cast("iam.IPrincipal", iam.ServicePrincipal("secretsmanager.amazonaws.com")),
            source_account=cdk.Stack.of(self).account,
        )
        hours = _hours(options.every)
        self.schedule = secretsmanager.CfnRotationSchedule(
            self,
            "Schedule",
            secret_id=rotated.secret.secret_arn,
            rotation_lambda_arn=self.function.function_arn,
            rotation_rules=secretsmanager.CfnRotationSchedule.RotationRulesProperty(
                automatically_after_days=None if hours % 24 else hours // 24,
                schedule_expression=f"rate({hours} hours)" if hours % 24 else None,
            ),
            # A rotation during a deployment would change users while CloudFormation does.
            rotate_immediately_on_update=False,
        )
        # Secrets Manager tests the function at once. The permission and the policy are below the function and the role.
        self.schedule.node.add_dependency(self.function, rotated.owner)
        if self.role is not None:
            self.schedule.node.add_dependency(self.role)
            self._acknowledge(self.role)

    def _acknowledge(self, role: iam.IRole) -> None:
        acknowledge(cast("Construct", self.function.node.default_child), _FINDINGS)
        for policy in (role.node.default_child, role.node.find_child("DefaultPolicy").node.default_child):
            acknowledge(cast("Construct", policy), _INLINE_POLICY)

    def _create_function(self, options: RotationOptions) -> lambda_.IFunction:
        from aws_cdk import aws_lambda as lambda_

        from cdk_redis._code.package import client_files, code_of

        description = description_of(f"Rotates the password of {self._rotated.path}")
        self.log_group = create_log_group(self, options.log_retention, options.log_kms_key)
        self.role = self._create_role(description, self.log_group)
        variables = {**self._rotated.variables, runtime.ROTATED_SECRET: self._rotated.secret.secret_arn}
        if options.previous_valid_for is not None:
            variables[runtime.PREVIOUS_VALID_SECONDS] = f"{options.previous_valid_for.to_seconds():g}"
        function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="cdk_redis_runtime.rotation_lambda.handler",
            code=code_of(client_files()),
            memory_size=256,
            timeout=cdk.Duration.minutes(_TIMEOUT),
            role=self.role,
            log_group=self.log_group,
            environment=variables,
        )
        return cast("lambda_.IFunction", function)

    def _create_role(self, description: str, log_group: logs.ILogGroup) -> iam.IRole:
        """Define a role that can write to its log group only, unlike AWSLambdaBasicExecutionRole."""
        from aws_cdk import aws_iam as iam

        write = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
        )
        role = iam.Role(
            self,
            "Role",
            description=description,
            assumed_by=cast("iam.IPrincipal", iam.ServicePrincipal("lambda.amazonaws.com")),
            inline_policies={"Logs": iam.PolicyDocument(statements=[write])},
        )
        return cast("iam.IRole", role)


def check_rotation(problems: Problems, scope: Construct, options: RotationOptions) -> None:
    """Check the options of a rotation."""
    check_location(problems, "function", options.function, "a function", scope=scope, user="the user")
    check_location(problems, "log_kms_key", options.log_kms_key, "a key", scope=scope, user="the log group")
    if options.function is not None:
        for parameter, given, what in (
            ("previous_valid_for", options.previous_valid_for, "a duration"),
            ("log_retention", options.log_retention, "a retention"),
            ("log_kms_key", options.log_kms_key, "a key"),
        ):
            if given is not None:
                reason = "it is for the function of this library, and `function` is given"
                problems.add(parameter, what, reason, "leave it out")
    if (seconds := _seconds(problems, "every", options.every)) is not None:
        hours = seconds / 3600
        if hours % 1 or not _SHORTEST_HOURS <= hours <= _LONGEST_HOURS:
            reason = "Secrets Manager takes whole hours, from 4 hours to 1,000 days"
            problems.add("every", f"{hours:g} hours", reason)
    seconds = _seconds(problems, "previous_valid_for", options.previous_valid_for)
    if seconds is not None and not _SHORTEST_VALID_SECONDS <= seconds <= _LONGEST_VALID_SECONDS:
        reason = "the function waits for 10 seconds, which clients need, to 10 minutes"
        hint = "leave it out: then it is valid until the next rotation"
        problems.add("previous_valid_for", f"{seconds:g} seconds", reason, hint)


def _seconds(problems: Problems, parameter: str, given: cdk.Duration | None) -> float | None:
    if given is None:
        return None
    if given.is_unresolved():
        problems.add(parameter, "a token", "it must be known at synth", "use for example Duration.days(30)")
        return None
    return given.to_milliseconds() / 1000


def _hours(every: cdk.Duration | None) -> int:
    return _DEFAULT_DAYS * 24 if every is None else round(every.to_hours())
