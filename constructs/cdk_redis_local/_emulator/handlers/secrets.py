"""``AWS::SecretsManager::Secret``, where the emulator differs from AWS.

``Ref`` returns the ARN, while the emulator's handler returns the name: the CDK uses the ``Ref`` of a secret as its ARN,
for example in policies. ``GenerateSecretString`` supports all its properties.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cdk_redis_local._emulator.ministack import (
    HANDLERS,
    Outcome,
    Properties,
    generate_secrets_with,
    handle,
    random_password,
)

_SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a resource type
_TEMPLATE, _KEY = "SecretStringTemplate", "GenerateStringKey"


def register_secrets() -> None:
    """Wrap the emulator's handlers, which identify a secret by its name."""
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

    handle(_SECRET, create, update, delete)


def _name(arn: str) -> str:
    # arn:aws:secretsmanager:us-east-1:000000000000:secret:the-name-a1b2c3
    return arn.partition(":secret:")[2].rpartition("-")[0]


def generate_text(asked: Properties) -> str:
    """The generated text of a secret, in its template if it has one.

    Raises:
        ValueError: Secrets Manager refuses the properties, or the template is not a JSON object.
    """
    if (_TEMPLATE in asked) != (_KEY in asked):
        raise ValueError(f"GenerateSecretString needs both {_TEMPLATE} and {_KEY}, or neither of them")
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
    # CloudFormation also accepts numbers and booleans as text.
    convert: Callable[[Any], Any] = {"PasswordLength": int, "ExcludeCharacters": str}.get(name, _is_true)
    return convert(value)


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"
