"""RotateSecret of Secrets Manager and ``AWS::SecretsManager::RotationSchedule``: they run the rotation function.

As on AWS, RotateSecret returns at once, and the function is invoked once for each step. The local cloud starts no
rotation by itself when its time has come: call RotateSecret.
"""

from __future__ import annotations

import contextvars
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from cdk_redis_local._emulator.ministack import (
    Outcome,
    Properties,
    Response,
    find_secret,
    handle,
    invoke_function,
    may_invoke,
    replace_on_change,
    rotate_secrets_with,
    secrets_manager_error,
)

_SCHEDULE = "AWS::SecretsManager::RotationSchedule"
_SERVICE = "secretsmanager.amazonaws.com"
_STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_PENDING, _CURRENT = "AWSPENDING", "AWSCURRENT"


class Rotations:
    """Rotates the secrets of the emulator."""

    def __init__(self, say: Callable[[str], object]) -> None:
        """Prepare; :meth:`register` adds the action and the resource type to the emulator.

        Args:
            say: Called with a message for the user when a step fails.
        """
        self._say = say
        # The last rotation of each secret, by its ARN. Requests come one at a time, from the event loop.
        self._running: dict[str, threading.Thread] = {}

    def register(self) -> None:
        """Register RotateSecret and the resource type."""
        rotate_secrets_with(self.rotate)
        handle(_SCHEDULE, self._create, self._update, self._delete)
        replace_on_change(_SCHEDULE, None, ("SecretId",))

    def rotate(self, request: Mapping[str, Any]) -> Response:
        """Answer RotateSecret."""
        secret = find_secret(str(request.get("SecretId")))
        if secret is None or secret.get("DeletedDate"):
            return secrets_manager_error(
                "ResourceNotFoundException", "Secrets Manager can't find the specified secret."
            )
        function = request.get("RotationLambdaARN") or secret.get("RotationLambdaARN")
        if not function:
            message = "No Lambda rotation function ARN is associated with this secret."
            return secrets_manager_error("InvalidRequestException", message)
        if not may_invoke(_SERVICE, function):
            message = (
                "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants "
                f"access to the principal {_SERVICE}."
            )
            return secrets_manager_error("AccessDeniedException", message)
        secret["RotationLambdaARN"], secret["RotationEnabled"] = function, True
        if request.get("RotationRules"):
            secret["RotationRules"] = request["RotationRules"]
        pending = _version_with(secret, _PENDING)
        if pending is not None and pending != _version_with(secret, _CURRENT):
            running = self._running.get(secret["ARN"])
            if running is None or not running.is_alive():
                self._start(secret, pending, _STEPS)
            message = "A previous rotation isn't complete. That rotation will be reattempted."
            return secrets_manager_error("InvalidRequestException", message)
        version = str(request.get("ClientRequestToken") or uuid.uuid4())
        _take_label(secret)
        secret["Versions"][version] = {
            "SecretString": None,
            "SecretBinary": None,
            "CreatedDate": secret["LastChangedDate"],
            "Stages": [_PENDING],
        }
        # Without an immediate rotation, only the configuration is tested.
        immediately = request.get("RotateImmediately", True)
        self._start(secret, version, _STEPS if immediately else ("testSecret",))
        answer = {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": version}
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()

    def _start(self, secret: dict[str, Any], version: str, steps: tuple[str, ...]) -> None:
        # The thread needs the account and the Region of the request.
        context, before = contextvars.copy_context(), self._running.get(secret["ARN"])
        thread = threading.Thread(
            target=context.run,
            args=(self._run, secret, version, steps, before),
            name=f"rotation of {secret['Name']}",
            daemon=True,
        )
        self._running[secret["ARN"]] = thread
        thread.start()

    def _run(
        self, secret: dict[str, Any], version: str, steps: tuple[str, ...], before: threading.Thread | None
    ) -> None:
        if before is not None:
            # It has moved the labels, and its function may not have answered yet.
            before.join()
        try:
            for step in steps:
                event = {"Step": step, "SecretId": secret["ARN"], "ClientRequestToken": version}
                error = invoke_function(secret["RotationLambdaARN"], event)
                if error is not None:
                    self._say(f"the rotation of {secret['Name']} failed in the step {step}: {error}")
                    break
        finally:
            if steps != _STEPS:
                secret["Versions"].pop(version, None)

    def _create(self, logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        del logical_id, stack_name
        immediately = str(properties.get("RotateImmediatelyOnUpdate", "true")).lower() == "true"
        request = {**properties, "RotateImmediately": immediately}
        status, _, body = self.rotate(request)
        if status != 200:
            raise ValueError(f"{_SCHEDULE}: {json.loads(body)['message']}")
        arn = json.loads(body)["ARN"]
        return arn, {"Id": arn}

    def _update(
        self, physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Outcome:
        del old
        return self._create(logical_id or physical_id, new, stack_name)

    @staticmethod
    def _delete(physical_id: str, properties: Properties) -> None:
        del properties
        secret = find_secret(physical_id)
        if secret is not None:
            secret["RotationEnabled"] = False


def _version_with(secret: Mapping[str, Any], label: str) -> str | None:
    return next((version for version, entry in secret["Versions"].items() if label in entry["Stages"]), None)


def _take_label(secret: Mapping[str, Any]) -> None:
    for entry in secret["Versions"].values():
        if _PENDING in entry["Stages"]:
            entry["Stages"].remove(_PENDING)
