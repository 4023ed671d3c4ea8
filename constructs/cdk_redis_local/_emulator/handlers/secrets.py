"""Secrets in CloudFormation, where the emulator differs from AWS.

``Ref`` gives the ARN, where the emulator gives the name: the CDK writes the ``Ref`` of a secret where an ARN belongs,
in the policy of whoever may read it, for one. ``GenerateSecretString`` keeps to all that it asks for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cdk_redis_local._emulator.ministack import HANDLERS, Outcome, Properties, generate_secrets_with, random_password

_SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a resource type
_TEMPLATE, _KEY = "SecretStringTemplate", "GenerateStringKey"


def register_secrets() -> None:
    """Put the handlers around the emulator's own, which know a secret by its name."""
    emulated = dict(HANDLERS[_SECRET])
    generate_secrets_with(generate_text)

    def create(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        _, attributes = emulated["create"](logical_id, properties, stack_name)
        return attributes["Arn"], attributes

    def update(
        physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Outcome:
        _, attributes = emulated["update"](_name(physical_id), old, new, stack_name, logical_id)
        return attributes["Arn"], attributes

    def delete(physical_id: str, properties: Properties) -> None:
        emulated["delete"](_name(physical_id), properties)

    HANDLERS[_SECRET] = {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def _name(arn: str) -> str:
    # arn:aws:secretsmanager:us-east-1:000000000000:secret:the-name-a1b2c3
    return arn.partition(":secret:")[2].rpartition("-")[0]


def generate_text(asked: Properties) -> str:
    """The text of a secret: generated, and put into the template if there is one.

    Raises:
        ValueError: What is asked for is impossible, or the template is no JSON object.
    """
    if (_TEMPLATE in asked) != (_KEY in asked):
        raise ValueError(f"GenerateSecretString needs {_TEMPLATE} and {_KEY}, or neither of them")
    request = {name: _typed(name, value) for name, value in asked.items() if name not in (_TEMPLATE, _KEY)}
    status, _, body = random_password(request)
    answer = json.loads(body)
    if status != 200:
        raise ValueError(f"GenerateSecretString: {answer['message']}")
    if _TEMPLATE not in asked:
        return str(answer["RandomPassword"])
    try:
        template = json.loads(asked[_TEMPLATE])
        template[asked[_KEY]] = answer["RandomPassword"]
    except (ValueError, TypeError) as error:
        raise ValueError(f"{_TEMPLATE} must be a JSON object") from error
    return json.dumps(template)


def _typed(name: str, value: Any) -> Any:
    # CloudFormation takes numbers and booleans as text, too.
    convert: Callable[[Any], Any] = {"PasswordLength": int, "ExcludeCharacters": str}.get(name, _is_true)
    return convert(value)


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"
