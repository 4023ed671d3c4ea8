"""Rotation of passwords and AUTH tokens."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager

from cdk_redis import Authentication, AuthToken, ElastiCacheUser, User
from tests.compliance.refused.rows import Accepted, Refused, Scene

_SCHEDULE = "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html"
_TOKEN = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html"
_ACCESS = "on ~* +@read"


def _user(it: Scene) -> User:
    return it.group().add_password_user("app", _ACCESS)


def _imported(it: Scene) -> User:
    secret = secretsmanager.Secret.from_secret_name_v2(it.scope, "Secret", "app")
    return ElastiCacheUser.from_user_attributes(it.scope, "App", user_name="app", secret=secret)


def _token(it: Scene, **given: str) -> AuthToken:
    secret = secretsmanager.Secret.from_secret_name_v2(it.scope, "Secret", "token")
    token = it.group(authentication=Authentication.auth_token(secret, **given)).auth_token
    assert isinstance(token, AuthToken)
    return token


def _twice(it: Scene) -> None:
    user = _user(it)
    user.add_rotation()
    user.add_rotation()


def _function(it: Scene) -> lambda_.IFunction:
    return lambda_.Function.from_function_name(it.scope, "Function", "rotation")


REFUSED = [
    Refused(
        "Only a password is rotated.",
        lambda it: it.cluster().add_iam_user("app", _ACCESS).add_rotation(),
        "user: got 'an IAM user', but only a user with a password can rotate it; IAM tokens expire by themselves",
        "the library",
    ),
    Refused(
        "The app that defines a user rotates its password.",
        lambda it: _imported(it).add_rotation(),
        "user: got 'an imported user', but the app that defines a user rotates its password; call add_rotation there",
        "the library",
    ),
    Refused(
        "The app that defines a replication group rotates its AUTH token.",
        lambda it: AuthToken(it.scope, "Token", authentication="auth-token").add_rotation(),
        "user: got 'an AUTH token', but its replication group is not defined in this app; call add_rotation in the app "
        "that defines the group",
        "the library",
    ),
    Refused(
        "A deployment does not set an AUTH token back to an old version.",
        lambda it: _token(it, version_id="one").add_rotation(),
        "user: got 'an AUTH token with a version_id', but its version_id sets the token in each deployment that "
        "changes the store; leave out version_id",
        _TOKEN,
    ),
    Refused(
        "A password has one rotation.",
        _twice,
        "user: got '.../Cache/Users/app', but it has a rotation already; call add_rotation once",
        _SCHEDULE,
    ),
    Refused(
        "A password is rotated every 4 hours at most.",
        lambda it: _user(it).add_rotation(every=cdk.Duration.hours(1)),
        "every: got '1 hours', but Secrets Manager takes whole hours, from 4 hours to 1,000 days",
        _SCHEDULE,
    ),
    Refused(
        "A previous password is valid for 10 seconds to 10 minutes, or until the next rotation.",
        lambda it: _user(it).add_rotation(previous_valid_for=cdk.Duration.hours(1)),
        "previous_valid_for: got '3600 seconds', but the function waits for 10 seconds, which clients need, to 10 "
        "minutes; leave it out: then it is valid until the next rotation",
        "the library",
    ),
    Refused(
        "Settings of the library's rotation function are not given with another function.",
        lambda it: _user(it).add_rotation(_function(it), log_retention=logs.RetentionDays.ONE_DAY),
        "log_retention: got 'a retention', but it is for the function of this library, and `function` is given; leave "
        "it out",
        "the library",
    ),
]

ACCEPTED = [
    Accepted("A password is rotated every 4 hours.", lambda it: _user(it).add_rotation(every=cdk.Duration.hours(4))),
    Accepted("An AUTH token of a given secret is rotated.", lambda it: _token(it).add_rotation()),
    Accepted(
        "A MemoryDB user's password is rotated, and the previous one ends.",
        lambda it: (
            it.cluster()
            .add_password_user("app", _ACCESS)
            .add_rotation(previous_valid_for=cdk.Duration.minutes(10), every=cdk.Duration.days(1000))
        ),
    ),
]
