"""The rotation of a password as a Lambda function, which Secrets Manager invokes once for each of four steps."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.redaction import redact
from cdk_redis_runtime._rotation.errors import RotationError
from cdk_redis_runtime._rotation.steps import Rotation
from cdk_redis_runtime._rotation.targets import AuthToken, Target, UserPassword
from cdk_redis_runtime._rotation.waiting import Waiter

# A call that takes longer is repeated: the function waits for minutes, but not for one answer.
_CONNECT_SECONDS = 5
_READ_SECONDS = 20
_ATTEMPTS = 4


class LambdaContext(Protocol):
    """The part of Lambda's context that is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""
        ...


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Run one step of a rotation.

    Prints what it did as one line of JSON, ``{"cdk_redis_rotation": {"step": ..., "version": ..., "did": ...}}``.

    Args:
        event: ``Step``, ``SecretId`` and ``ClientRequestToken``.
        context: Lambda's context; the step ends before the function's timeout.

    Raises:
        RotationError: The step failed. Its message contains no password.
    """
    step, version = str(event.get("Step")), str(event.get("ClientRequestToken"))

    def say(did: str) -> None:
        line = {"cdk_redis_rotation": {"step": step, "version": version, "did": did}}
        print(json.dumps(line, separators=(",", ":")), flush=True)

    waiter = Waiter(lambda: context.get_remaining_time_in_millis() / 1000)
    rotation = rotation_of(os.environ, _client, waiter, say)
    try:
        rotation.run(step, str(event.get("SecretId")), version)
    except Exception as error:
        # Without the original error: Lambda logs all causes, and AWS's answers may repeat what they were sent.
        text = redact(str(error), rotation.passwords)
        kind = "" if isinstance(error, RotationError) else f"{type(error).__name__}: "
        raise RotationError(f"{step}: {kind}{text}") from None


def rotation_of(
    environment: Mapping[str, str],
    client: Callable[[str], Any],
    waiter: Waiter,
    say: Callable[[str], object],
) -> Rotation:
    """Read what to rotate.

    Args:
        environment: The function's variables.
        client: Returns the client of a service.
        waiter: Waits for changes.
        say: Called with what was done.
    """
    seconds = environment.get(env.PREVIOUS_VALID_SECONDS)
    return Rotation(
        client("secretsmanager"),
        _target(environment, client(environment[env.SERVICE]), waiter),
        waiter,
        secret_arn=environment[env.ROTATED_SECRET],
        previous_valid_seconds=None if seconds is None else float(seconds),
        say=say,
    )


def _target(environment: Mapping[str, str], client: Any, waiter: Waiter) -> Target:
    group = environment.get(env.ROTATED_GROUP)
    if group is not None:
        return AuthToken(client, waiter, group)
    return UserPassword(
        client, waiter, environment[env.ROTATED_USER], memorydb=environment[env.SERVICE] == env.MEMORYDB
    )


def _client(service: str) -> Any:
    import botocore.config
    import botocore.session

    settings = botocore.config.Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
    )
    return botocore.session.get_session().create_client(
        service, region_name=os.environ.get("AWS_REGION"), config=settings
    )
