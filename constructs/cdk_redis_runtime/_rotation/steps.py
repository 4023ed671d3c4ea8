"""The four steps of a rotation. Each can be repeated: Secrets Manager invokes them again after an error or a timeout.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-lambda-function-overview.html
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cdk_redis_runtime._rotation.errors import RotationError, code_of
from cdk_redis_runtime._rotation.targets import Target
from cdk_redis_runtime._rotation.waiting import Waiter

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_CURRENT, _PENDING = "AWSCURRENT", "AWSPENDING"
# Both services accept 16 to 128 characters, and differ in the punctuation that they accept.
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 64
# What Secrets Manager answers for a version that has a label, but no value yet.
_NO_VALUE = "ResourceNotFoundException"
# Another attempt has stored the new password between this one's look and its own.
_HAS_VALUE = "ResourceExistsException"


@dataclass(frozen=True)
class _Version:
    """A version of the secret."""

    values: dict[str, Any]
    created: dt.datetime

    @property
    def password(self) -> str:
        return str(self.values["password"])


class Rotation:
    """The steps for one secret and its target."""

    def __init__(
        self,
        client: Any,
        target: Target,
        waiter: Waiter,
        *,
        secret_arn: str,
        previous_valid_seconds: float | None,
        say: Callable[[str], object],
    ) -> None:
        """Prepare the steps.

        Args:
            client: A client of Secrets Manager.
            target: The owner of the password.
            waiter: Waits for changes.
            secret_arn: ARN of the secret, with or without the six characters that Secrets Manager appends.
            previous_valid_seconds: How long the previous password stays valid; None until the next rotation.
            say: Called with what was done.
        """
        self._client = client
        self._target = target
        self._waiter = waiter
        self._secret_arn = secret_arn
        self._previous_valid_seconds = previous_valid_seconds
        self._say = say
        self.passwords: set[str] = set()

    def run(self, step: str, secret: str, version: str) -> None:
        """Run a step.

        Args:
            step: One of `STEPS`.
            secret: ARN of the secret, in the event.
            version: Id of the new version: the request's token.

        Raises:
            RotationError: If the event does not fit, or the step failed.
        """
        if secret != self._secret_arn and not secret.startswith(f"{self._secret_arn}-"):
            raise RotationError(f"this function rotates {self._secret_arn}, and not {secret}")
        if step not in STEPS:
            raise RotationError(f"{step!r} is not a step of a rotation: {', '.join(STEPS)}")
        labels = self._labels()
        if version not in labels:
            raise RotationError(
                f"the secret has no version {version}: rotate it with Secrets Manager, see RotateSecret"
            )
        is_current = _CURRENT in labels[version]
        if not is_current and _PENDING not in labels[version]:
            raise RotationError(f"version {version} is not the pending one: its rotation was cancelled, or is over")
        if is_current and step != "finishSecret":
            self._say("the new password is the current one already")
            return
        {
            "createSecret": self._create,
            "setSecret": self._set,
            "testSecret": self._test,
            "finishSecret": self._finish,
        }[step](version)

    def _create(self, version: str) -> None:
        current = self._current()
        if self._pending(version) is not None:
            self._say("the new password is there already, from an earlier attempt")
            return
        # The other keys stay, such as the name of the user.
        text = json.dumps({**current.values, "password": _new_password()})
        try:
            self._client.put_secret_value(
                SecretId=self._secret_arn, ClientRequestToken=version, SecretString=text, VersionStages=[_PENDING]
            )
        except Exception as error:
            if code_of(error) != _HAS_VALUE:
                raise
        self._say("made a new password")

    def _set(self, version: str) -> None:
        current, pending = self._current(), self._pending(version)
        if pending is None:
            raise RotationError(f"version {version} has no value: createSecret comes first")
        self._target.accept_both(current.password, pending.password, pending.created)
        self._say("the current and the new password are valid")

    def _test(self, version: str) -> None:
        current, pending = self._current(), self._pending(version)
        # To test a schedule, Secrets Manager runs this step alone. Then there is no new password.
        is_new = pending is not None and pending.password != current.password
        self._target.check(two=is_new)
        self._say("both passwords are in use" if is_new else "the current password is in use")

    def _finish(self, version: str) -> None:
        holder = next((one for one, labels in self._labels().items() if _CURRENT in labels), None)
        if holder != version:
            moved = {} if holder is None else {"RemoveFromVersionId": holder}
            self._client.update_secret_version_stage(
                SecretId=self._secret_arn, VersionStage=_CURRENT, MoveToVersionId=version, **moved
            )
            self._say("the new password is the current one")
        if self._previous_valid_seconds is None:
            return
        self._waiter.pause(self._previous_valid_seconds, "the previous password is still valid")
        self._target.keep_only(self._current().password, again=holder == version)
        self._say("the previous password is not valid any more")

    def _labels(self) -> dict[str, list[str]]:
        return dict(self._client.describe_secret(SecretId=self._secret_arn).get("VersionIdsToStages", {}))

    def _current(self) -> _Version:
        try:
            return self._read(VersionStage=_CURRENT)
        except Exception as error:
            if code_of(error) != _NO_VALUE:
                raise
        raise RotationError("the secret has no value yet: it needs one that the store accepts before it is rotated")

    def _pending(self, version: str) -> _Version | None:
        try:
            return self._read(VersionId=version, VersionStage=_PENDING)
        except Exception as error:
            if code_of(error) != _NO_VALUE:
                raise
        return None

    def _read(self, **which: str) -> _Version:
        answer = self._client.get_secret_value(SecretId=self._secret_arn, **which)
        values: dict[str, Any] = {}
        with contextlib.suppress(ValueError):
            found = json.loads(answer.get("SecretString") or "")
            values = found if isinstance(found, dict) else {}
        password = values.get("password")
        if not isinstance(password, str) or not password:
            # Nothing of the value: it may be the password itself.
            raise RotationError(f"the secret's {which['VersionStage']} is not JSON with the key 'password'")
        self.passwords.add(password)
        return _Version(values, answer["CreatedDate"])


def _new_password() -> str:
    while True:
        password = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        # AWS recommends three kinds of characters for an AUTH token.
        if all(set(password) & set(kind) for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits)):
            return password
