"""The Python code that ``cdk-redis adopt`` prints: imports, existing resources, and the construct of a store."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_MODULES = {
    "cdk": "import aws_cdk as cdk",
    "ec2": "from aws_cdk import aws_ec2 as ec2",
    "firehose": "from aws_cdk import aws_kinesisfirehose as firehose",
    "kms": "from aws_cdk import aws_kms as kms",
    "logs": "from aws_cdk import aws_logs as logs",
    "secretsmanager": "from aws_cdk import aws_secretsmanager as secretsmanager",
    "sns": "from aws_cdk import aws_sns as sns",
}
_CLASS = re.compile(r"(?<![\w.])([A-Z]\w+)[.(]")
_MODULE = re.compile(r"(?<![\w.])(\w+)\.[A-Z]")


def text(value: object) -> str:
    """Text as a literal, in double quotes."""
    return json.dumps(str(value), ensure_ascii=False)


def texts(values: Sequence[object]) -> str:
    """A list of texts as a literal."""
    return f"[{', '.join(map(text, values))}]"


def construct_id(name: str) -> str:
    """An id for the construct of a store with this name: ``"orders-eu"`` becomes ``OrdersEu``."""
    return "".join(part.capitalize() for part in re.split(r"[^a-zA-Z0-9]+", name) if part)


class StoreCode:
    """Collects the code of one store."""

    def __init__(self, kind: str, name: str) -> None:
        """Start the code.

        Args:
            kind: Class of the store.
            name: Name of the store, of which the ids are made.
        """
        self._kind = kind
        self.id = construct_id(name)
        self._before: list[str] = []
        self._parameters: dict[str, str] = {}
        self._after: list[str] = []

    def imported(self, call: str, id: str, *arguments: str) -> str:
        """The code that imports an existing resource: ``kms.Key.from_key_arn(self, "OrdersKey", "arn:...")``."""
        return f"{call}(self, {text(self.id + id)}, {', '.join(arguments)})"

    def before(self, *lines: str) -> None:
        """Add lines before the construct."""
        self._before += lines

    def set(self, parameter: str, code: str) -> None:
        """Set a parameter of the store."""
        self._parameters[parameter] = code

    def after(self, line: str) -> None:
        """Add a line after the construct, which is called ``store``."""
        self._after.append(line)

    def lines(self) -> list[str]:
        """The code, with its imports."""
        body = [
            *self._before,
            f"store = {self._kind}(",
            "    self,",
            f"    {text(self.id)},",
            *(f"    {parameter}={code}," for parameter, code in self._parameters.items()),
            ")",
            *self._after,
        ]
        written = "\n".join(map(_names_only, body))
        used = set(_MODULE.findall(written))
        modules = [line for name, line in _MODULES.items() if name in used]
        classes = sorted(set(_CLASS.findall(written)))
        return [*modules, "", f"from cdk_redis import {', '.join(classes)}", "", *body]


def _names_only(line: str) -> str:
    """The line without its texts and its comment."""
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', line).partition("#")[0]
