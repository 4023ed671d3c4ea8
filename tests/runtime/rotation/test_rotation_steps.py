"""Each step of a rotation, its repetition after an error, and states that it cannot continue from."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.stub import ANY, Stubber

from cdk_redis_runtime import rotation_lambda
from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._rotation.errors import RotationError
from cdk_redis_runtime._rotation.waiting import Waiter

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app-a1b2c3"
OLD, NEW = "old-version-of-the-secret-00000001", "new-version-of-the-secret-00000002"
CURRENT, PENDING = "the-current-password-of-the-app", "the-pending-password-of-the-app"
MADE = dt.datetime(2026, 1, 1, 12, tzinfo=dt.timezone.utc)
MINUTE = dt.timedelta(minutes=1)
USERS = ("elasticache", "memorydb")
# Loads the models of the services once.
_SESSION = botocore.session.get_session()


class Aws:
    """The rotation of a user or a token, with clients that check each request and have an answer for it."""

    def __init__(self, kind: str, *, seconds_left: float = 800.0, previous: str | None = None) -> None:
        self.said: list[str] = []
        self.slept: list[float] = []
        self._kind = kind
        service = "memorydb" if kind == "memorydb" else "elasticache"
        self._clients = {
            name: _SESSION.create_client(
                name, region_name="eu-west-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="an-example"
            )
            for name in ("secretsmanager", service)
        }
        self._stubs = {name: Stubber(client) for name, client in self._clients.items()}
        for stub in self._stubs.values():
            stub.activate()
        self._secrets, self._service = self._stubs["secretsmanager"], self._stubs[service]
        self._left = seconds_left
        owner = {env.ROTATED_GROUP: "orders"} if kind == "token" else {env.ROTATED_USER: "app"}
        variables = {env.SERVICE: service, env.ROTATED_SECRET: ARN, **owner}
        if previous is not None:
            variables[env.PREVIOUS_VALID_SECONDS] = previous
        waiter = Waiter(lambda: self._left, self._sleep)
        self.rotation = rotation_lambda.rotation_of(variables, self._clients.__getitem__, waiter, self.said.append)

    def run(self, step: str) -> None:
        """Run a step; all prepared answers must have been used."""
        self.rotation.run(step, ARN, NEW)
        for stub in self._stubs.values():
            stub.assert_no_pending_responses()

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._left -= seconds

    # Secrets Manager.

    def versions(self, **labels: list[str]) -> None:
        found = {"old": OLD, "new": NEW}
        answer = {"VersionIdsToStages": {found[name]: value for name, value in labels.items()}}
        self._secrets.add_response("describe_secret", answer, {"SecretId": ARN})

    def started(self) -> None:
        self.versions(old=["AWSCURRENT"], new=["AWSPENDING"])

    def current(self, text: str | None = None, version: str = OLD) -> None:
        text = json.dumps({"username": "app", "password": CURRENT}) if text is None else text
        self._value({"VersionStage": "AWSCURRENT"}, text, version)

    def pending(self, password: str = PENDING) -> None:
        self._value({"VersionId": NEW, "VersionStage": "AWSPENDING"}, json.dumps({"password": password}), NEW)

    def no_pending(self) -> None:
        expected = {"SecretId": ARN, "VersionId": NEW, "VersionStage": "AWSPENDING"}
        self._secrets.add_client_error(
            "get_secret_value", "ResourceNotFoundException", expected_params=expected, http_status_code=400
        )

    def no_current(self) -> None:
        self._secrets.add_client_error("get_secret_value", "ResourceNotFoundException")

    def put(self, refusal: str | None = None) -> None:
        expected = {"SecretId": ARN, "ClientRequestToken": NEW, "SecretString": ANY, "VersionStages": ["AWSPENDING"]}
        if refusal is None:
            self._secrets.add_response("put_secret_value", {}, expected)
        else:
            self._secrets.add_client_error("put_secret_value", refusal, expected_params=expected)

    def moved(self, **removed: str) -> None:
        expected = {"SecretId": ARN, "VersionStage": "AWSCURRENT", "MoveToVersionId": NEW, **removed}
        self._secrets.add_response("update_secret_version_stage", {}, expected)

    def _value(self, expected: dict[str, str], text: str, version: str) -> None:
        answer = {"SecretString": text, "VersionId": version, "CreatedDate": MADE}
        self._secrets.add_response("get_secret_value", answer, {"SecretId": ARN, **expected})

    # The service.

    def is_in(self, *states: str, passwords: int = 1, changed: dt.datetime | None = None, token: bool = True) -> None:
        """The answers when the owner is described, one for each state; ``+`` is the ready one."""
        for state in states:
            if self._kind == "token":
                status = "available" if state == "+" else "modifying"
                group: dict[str, Any] = {"ReplicationGroupId": "orders", "Status": status, "AuthTokenEnabled": token}
                if changed is not None:
                    group["AuthTokenLastModifiedDate"] = changed
                self._service.add_response(
                    "describe_replication_groups", {"ReplicationGroups": [group]}, {"ReplicationGroupId": "orders"}
                )
            else:
                name = {"UserName" if self._kind == "memorydb" else "UserId": "app"}
                counted = {"Type": "password", "PasswordCount": passwords}
                user = {"Status": "active" if state == "+" else "modifying", "Authentication": counted}
                self._service.add_response("describe_users", {"Users": [user]}, name)

    def sets(self, *passwords: str, refusal: str | None = None, strategy: str = "ROTATE") -> None:
        """A change to these passwords, or of a token with a strategy; it is refused with a code."""
        if self._kind == "token":
            call, expected = (
                "modify_replication_group",
                {
                    "ReplicationGroupId": "orders",
                    "AuthToken": passwords[-1],
                    "AuthTokenUpdateStrategy": strategy,
                    "ApplyImmediately": True,
                },
            )
        else:
            mode = {"Type": "password", "Passwords": list(passwords)}
            name = "UserName" if self._kind == "memorydb" else "UserId"
            call = "update_user" if self._kind == "memorydb" else "modify_user"
            expected = {name: "app", "AuthenticationMode": mode}
        if refusal is None:
            self._service.add_response(call, {}, expected)
        else:
            self._service.add_client_error(call, refusal, f"{passwords[-1]} is refused", expected_params=expected)


def _create(aws: Aws) -> None:
    aws.started()
    aws.current()
    aws.no_pending()
    aws.put()


def _create_again(aws: Aws) -> None:
    aws.started()
    aws.current()
    aws.pending()


def _create_twice_at_once(aws: Aws) -> None:
    aws.started()
    aws.current()
    aws.no_pending()
    aws.put("ResourceExistsException")


def _begin_set(aws: Aws) -> None:
    aws.started()
    aws.current()
    aws.pending()


def _set(aws: Aws) -> None:
    _begin_set(aws)
    aws.is_in("+")
    if aws._kind == "token":
        aws.is_in("+", changed=MADE - MINUTE)
    aws.sets(CURRENT, PENDING)
    aws.is_in("-", "-", "+")


def _set_while_busy(aws: Aws) -> None:
    # A stack update is changing it, and begins another change between a look and the request.
    _begin_set(aws)
    aws.is_in("-", "+")
    if aws._kind == "token":
        aws.is_in("+", changed=MADE - MINUTE)
    aws.sets(CURRENT, PENDING, refusal="InvalidReplicationGroupState" if aws._kind == "token" else "InvalidUserState")
    aws.is_in("-", "+")
    if aws._kind == "token":
        aws.is_in("+", changed=MADE - MINUTE)
    aws.sets(CURRENT, PENDING)
    aws.is_in("+")


def _set_token_again(aws: Aws) -> None:
    # ROTATE was accepted, and the answer was lost or the wait was too long.
    _begin_set(aws)
    aws.is_in("-", "+")
    aws.is_in("+", changed=MADE + MINUTE)
    aws.is_in("+")


def _set_token_after_a_lost_answer(aws: Aws) -> None:
    _begin_set(aws)
    aws.is_in("+")
    aws.is_in("+", changed=MADE - MINUTE)
    aws.sets(PENDING, refusal="InvalidReplicationGroupState")
    aws.is_in("-", "+")
    aws.is_in("+", changed=MADE + MINUTE)
    aws.is_in("+")


def _set_first_token(aws: Aws) -> None:
    # ElastiCache has no date for a token that was never changed.
    _begin_set(aws)
    aws.is_in("+", "+")
    aws.sets(PENDING)
    aws.is_in("+")


def _test(aws: Aws) -> None:
    aws.started()
    aws.current()
    aws.pending()
    aws.is_in("-", "+", "+", passwords=2)


def _test_of_a_schedule(aws: Aws) -> None:
    aws.started()
    aws.current()
    aws.no_pending()
    aws.is_in("+", "+")


def _test_of_a_schedule_with_a_copy(aws: Aws) -> None:
    aws.started()
    aws.current()
    aws.pending(CURRENT)
    aws.is_in("+", "+")


def _finish(aws: Aws) -> None:
    aws.started()
    aws.started()
    aws.moved(RemoveFromVersionId=OLD)


def _finish_again(aws: Aws) -> None:
    for _ in range(2):
        aws.versions(old=["AWSPREVIOUS"], new=["AWSCURRENT", "AWSPENDING"])


def _finish_first(aws: Aws) -> None:
    for _ in range(2):
        aws.versions(new=["AWSPENDING"])
    aws.moved()


def _repeat_after_the_end(aws: Aws) -> None:
    aws.versions(old=["AWSPREVIOUS"], new=["AWSCURRENT"])


@pytest.mark.parametrize(
    ("kinds", "step", "prepare", "said"),
    [
        (USERS, "createSecret", _create, "made a new password"),
        (USERS, "createSecret", _create_again, "the new password is there already"),
        (USERS, "createSecret", _create_twice_at_once, "made a new password"),
        (USERS, "createSecret", _repeat_after_the_end, "is the current one already"),
        (("elasticache", "memorydb", "token"), "setSecret", _set, "the current and the new password are valid"),
        (("elasticache", "memorydb", "token"), "setSecret", _set_while_busy, "the current and the new"),
        (("token",), "setSecret", _set_token_again, "the current and the new"),
        (("token",), "setSecret", _set_token_after_a_lost_answer, "the current and the new"),
        (("token",), "setSecret", _set_first_token, "the current and the new"),
        (("token",), "setSecret", _repeat_after_the_end, "is the current one already"),
        (("elasticache", "memorydb", "token"), "testSecret", _test, "both passwords are in use"),
        (("elasticache", "memorydb", "token"), "testSecret", _test_of_a_schedule, "the current password is in use"),
        (("elasticache", "token"), "testSecret", _test_of_a_schedule_with_a_copy, "the current password is in use"),
        (("memorydb",), "testSecret", _repeat_after_the_end, "is the current one already"),
        (("elasticache", "token"), "finishSecret", _finish, "the new password is the current one"),
        (("elasticache", "token"), "finishSecret", _finish_again, None),
        (("memorydb",), "finishSecret", _finish_first, "the new password is the current one"),
    ],
)
def test_a_step_calls_the_services_once_whatever_happened_before(
    kinds: tuple[str, ...], step: str, prepare: Callable[[Aws], None], said: str | None
) -> None:
    for kind in kinds:
        aws = Aws(kind)
        prepare(aws)
        aws.run(step)
        assert [line for line in aws.said if said is None or said not in line] == []
        assert len(aws.said) == (said is not None)


def _finish_and_end_validity(aws: Aws) -> None:
    _finish(aws)
    aws.current(json.dumps({"password": PENDING}), NEW)
    aws.is_in("+")
    aws.sets(PENDING, strategy="SET")
    aws.is_in("-", "+")


def _finish_and_end_validity_again(aws: Aws) -> None:
    _finish_again(aws)
    aws.current(json.dumps({"password": PENDING}), NEW)
    aws.is_in("+")
    # A group with one token refuses SET.
    aws.sets(PENDING, strategy="SET", refusal="InvalidParameterValue" if aws._kind == "token" else None)
    if aws._kind != "token":
        aws.is_in("+")


@pytest.mark.parametrize("kind", [*USERS, "token"])
@pytest.mark.parametrize("prepare", [_finish_and_end_validity, _finish_and_end_validity_again])
def test_the_previous_password_is_removed_after_the_time_that_was_asked_for(
    kind: str, prepare: Callable[[Aws], None]
) -> None:
    aws = Aws(kind, previous="60")
    prepare(aws)
    aws.run("finishSecret")
    assert aws.slept[0] == 60
    assert aws.said[-1] == "the previous password is not valid any more"


def _unknown_version(aws: Aws) -> None:
    aws.versions(old=["AWSCURRENT"])


def _cancelled(aws: Aws) -> None:
    aws.versions(old=["AWSCURRENT"], new=["something"])


def _no_value(aws: Aws) -> None:
    aws.started()
    aws.no_current()


def _no_password(aws: Aws) -> None:
    aws.started()
    aws.current('{"username": "app"}')


def _no_json(aws: Aws) -> None:
    aws.started()
    aws.current(CURRENT)


def _set_before_create(aws: Aws) -> None:
    aws.started()
    aws.current()
    aws.no_pending()


def _changed_by_a_stack(aws: Aws) -> None:
    aws.started()
    aws.current()
    aws.pending()
    aws.is_in("+", "+", passwords=1)


def _token_removed(aws: Aws) -> None:
    aws.started()
    aws.current()
    aws.pending()
    aws.is_in("+", "+", token=False)


def _never_ready(aws: Aws) -> None:
    _begin_set(aws)
    aws.is_in(*["-"] * 200)


@pytest.mark.parametrize(
    ("kind", "step", "prepare", "message"),
    [
        ("elasticache", "createSecret", _unknown_version, f"the secret has no version {NEW}"),
        ("elasticache", "setSecret", _cancelled, "is not the pending one"),
        ("elasticache", "createSecret", _no_value, "the secret has no value yet"),
        ("memorydb", "createSecret", _no_password, "AWSCURRENT is not JSON with the key 'password'"),
        ("memorydb", "createSecret", _no_json, "AWSCURRENT is not JSON with the key 'password'"),
        ("token", "setSecret", _set_before_create, "has no value: createSecret comes first"),
        ("memorydb", "testSecret", _changed_by_a_stack, "user app has 1 passwords and not two"),
        ("token", "testSecret", _token_removed, "replication group orders has no AUTH token"),
        ("elasticache", "setSecret", _never_ready, "user app is still 'modifying' and not 'active'"),
        ("token", "setSecret", _never_ready, "replication group orders is still 'modifying' and not 'available'"),
        ("elasticache", "rotateSecret", lambda _: None, "'rotateSecret' is not a step"),
    ],
)
def test_a_step_that_cannot_continue_says_why(
    kind: str, step: str, prepare: Callable[[Aws], None], message: str
) -> None:
    aws = Aws(kind)
    prepare(aws)
    with pytest.raises(RotationError, match=message) as caught:
        aws.rotation.run(step, ARN, NEW)
    assert CURRENT not in str(caught.value)
    # It ended by itself, some seconds before Lambda would have ended it.
    assert sum(aws.slept) < 795


@pytest.mark.parametrize(
    ("secret", "fits"),
    [(ARN, True), (f"{ARN}-a1b2c3", True), ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:other", False)],
)
def test_the_function_rotates_its_own_secret_only(secret: str, fits: bool) -> None:
    aws = Aws("elasticache")
    if fits:
        _repeat_after_the_end(aws)
        aws.rotation.run("createSecret", secret, NEW)
        return
    with pytest.raises(RotationError, match="this function rotates"):
        aws.rotation.run("createSecret", secret, NEW)


@pytest.mark.parametrize("kind", [*USERS, "token"])
def test_the_log_has_no_password(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = Aws(kind)
    _begin_set(aws)
    aws.is_in("+")
    if kind == "token":
        aws.is_in("+", changed=MADE - MINUTE)
    # The answer repeats the password.
    aws.sets(CURRENT, PENDING, refusal="InvalidParameterValue")
    monkeypatch.setattr(rotation_lambda, "rotation_of", lambda *_: aws.rotation)

    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 900_000

    with pytest.raises(RotationError) as caught:
        rotation_lambda.handler({"Step": "setSecret", "SecretId": ARN, "ClientRequestToken": NEW}, Context())
    text = str(caught.value)
    assert "An error occurred (InvalidParameterValue) when calling the" in text
    assert "*** is refused" in text
    # Lambda logs the error with its cause.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert PENDING not in text + capsys.readouterr().out


def test_a_new_password_keeps_the_other_keys_and_is_accepted_by_both_services() -> None:
    aws = Aws("elasticache")
    put: dict[str, Any] = {}
    aws.rotation._client.meta.events.register(
        "provide-client-params.secrets-manager.PutSecretValue", lambda params, **_: put.update(params)
    )
    _create(aws)
    aws.run("createSecret")
    made = json.loads(put["SecretString"])
    assert made["username"] == "app"
    assert len(made["password"]) == 64
    assert made["password"].isalnum()
    assert made["password"] != CURRENT
