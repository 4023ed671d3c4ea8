"""What a parameter accepts, read from its annotation: ``"Engine | str | None"``, ``"Sequence[ec2.ISecurityGroup]"``.

The classes in annotations are often imported for type checkers only, because modules of aws-cdk-lib load slowly. So the
class of a value is compared by name: its module for a class of aws-cdk-lib, any module of ours for a class of ours.
"""

from __future__ import annotations

import ast
import inspect
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from cdk_redis._core.errors import Problems
from cdk_redis._core.tokens import is_token
from cdk_redis._core.wording import either, forms_of, shown

# Modules of aws-cdk-lib that the library imports by another name than aws_<name>.
_MODULES = {"cdk": "aws_cdk", "firehose": "aws_cdk.aws_kinesisfirehose"}
# Modules of classes whose names have no alias: ours, and those of values that we take.
_HOMES = ("cdk_redis", "constructs", "pathlib")
# Values in mappings can be empty, such as an engine parameter that turns all events off.
_MISSING = object()
_ANY_TEXT = "any text"
_PLAIN = {
    "bool": ("True", "False"),
    "float": ("a number",),
    "int": ("a whole number",),
    "str": ("text with at least one character",),
    _ANY_TEXT: ("text",),
}
_UNCHECKED = ("Any", "Callable", "Unpack", "object")
# What to give where text was given.
_HINTS = {
    "IParameterGroup": "import it with from_parameter_group_name",
    "IStore": "give a ReplicationGroup, a ServerlessCache, a MemoryDbCluster or an import of one",
    "ISubnetGroup": "import it with from_subnet_group_name",
    "User": "give what `add_iam_user` or `add_password_user` returns",
    "ec2.ISecurityGroup": "import it with ec2.SecurityGroup.from_security_group_id",
    "ec2.IVpc": "import it with ec2.Vpc.from_vpc_attributes or ec2.Vpc.from_lookup",
    "events.Schedule": "write events.Schedule.expression(...)",
    "firehose.IDeliveryStream": "import it with firehose.DeliveryStream.from_delivery_stream_arn",
    "iam.IRole": "import it with iam.Role.from_role_arn",
    "kms.IKey": "import it with kms.Key.from_key_arn",
    "lambda_.IFunction": "import it with lambda_.Function.from_function_attributes",
    "logs.ILogGroup": "import it with logs.LogGroup.from_log_group_name",
    "secretsmanager.ISecret": "import it with secretsmanager.Secret.from_secret_complete_arn",
    "sns.ITopic": "import it with sns.Topic.from_topic_arn",
}


@dataclass(frozen=True)
class Annotation:
    """What a parameter accepts.

    Attributes:
        plain: Names of the built-in types: ``bool``, ``float``, ``int``, ``str`` and ``None``.
        classes: Names of the classes, as they stand in the annotation: ``"Engine"``, ``"ec2.IVpc"``.
        items: What the items of a list are; None if it takes no list.
        values: What the values of a mapping are; None if it takes no mapping.
        unchecked: Whether it takes anything, or what only the function itself can check.
    """

    plain: frozenset[str] = frozenset()
    classes: tuple[str, ...] = ()
    items: Annotation | None = None
    values: Annotation | None = None
    unchecked: bool = False

    def check(self, problems: Problems, parameter: str, given: object) -> None:
        """Note what is wrong with the type of an argument."""
        if self.unchecked or (given is None and "None" in self.plain):
            return
        if self.items is not None and isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
            for index, item in enumerate(cast("Sequence[object]", given)):
                self.items.check(problems, f"{parameter}[{index}]", item)
        elif self.values is not None and isinstance(given, Mapping):
            for key, value in cast("Mapping[object, object]", given).items():
                if isinstance(key, str):
                    self.values.check(problems, f"{parameter}[{key!r}]", value)
                else:
                    problems.note(f"{parameter}: got a key that is {shown(key)}, but its keys must be text")
        elif not (self._accepts_plain(given) or any(is_instance(given, name) for name in self.classes)):
            is_blank = isinstance(given, str) and not given.strip()
            got = shown(given, secret=not (self.plain & {"bool", "int", "float"} or is_blank))
            problems.note(f"{parameter}: got {got}, but it {self._expected()}{self._hint(given)}")

    def _accepts_plain(self, given: object) -> bool:
        if isinstance(given, str):
            return _is_unicode(given) and (_ANY_TEXT in self.plain or ("str" in self.plain and bool(given.strip())))
        if isinstance(given, bool):
            return "bool" in self.plain
        if isinstance(given, (int, float)):
            if "float" in self.plain:
                return isinstance(given, int) or math.isfinite(given)
            return "int" in self.plain and (isinstance(given, int) or is_token(given))
        # A token that is no text, such as a cdk.IResolvable: only the readers of values turn it into text.
        return "str" in self.plain and bool(self.classes) and is_token(given)

    def _expected(self) -> str:
        texts = [form for name in self.classes for form in forms_of(_class_named(name), name)[1:]]
        if "str" in self.plain and self.classes and not texts:
            texts.append("its name")
        plain = [name for name in sorted(self.plain & _PLAIN.keys()) if not (name == "str" and self.classes)]
        forms = [*self.classes, *texts, *(form for name in plain for form in _PLAIN[name])]
        if self.items is not None:
            kinds = [*self.items.classes, *("text" for name in self.items.plain if name == "str")]
            forms.append(f"a list of {' or '.join(kinds)}" if kinds else "a list")
        if self.values is not None:
            forms.append("a mapping such as a dict")
        verb = "takes" if self.classes or self.items or self.values else "must be"
        return f"{verb} {either(forms)}"

    def _hint(self, given: object) -> str:
        hint = self._hint_for_text(given) if isinstance(given, str) else self._hint_for_other(given)
        return f"; {hint}" if hint else ""

    def _hint_for_text(self, given: str) -> str:
        if self.plain & {"str", _ANY_TEXT}:
            return "" if _is_unicode(given) else "it is not valid Unicode"
        if "bool" in self.plain and given.lower() in ("true", "false"):
            return f"write {given.capitalize()}"
        if self.plain & {"int", "float"} and given.isdecimal():
            return f"write {given}"
        return next((_HINTS[name] for name in self.classes if name in _HINTS), "")

    def _hint_for_other(self, given: object) -> str:
        is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
        if isinstance(given, float) and given.is_integer() and "int" in self.plain:
            return f"write {int(given)}"
        if is_number and self.plain & {"str", _ANY_TEXT} and not self.classes:
            return f"write '{given}'"
        if self.items is not None and any(is_instance(given, name) for name in self.items.classes):
            return "put it in a list"
        return ""


@cache
def read_annotation(text: str) -> Annotation:
    """Read an annotation.

    Args:
        text: The annotation as it is written.

    Raises:
        NotImplementedError: If it has a form that is not used in this library yet.
    """
    return _read(ast.parse(text, mode="eval").body)


def _read(node: ast.expr) -> Annotation:
    if isinstance(node, ast.BinOp):
        return _either(_read(node.left), _read(node.right))
    if isinstance(node, ast.Constant):
        return read_annotation(node.value) if isinstance(node.value, str) else Annotation(frozenset({str(node.value)}))
    if isinstance(node, ast.Attribute):
        return Annotation(classes=(ast.unparse(node),))
    if isinstance(node, ast.Name):
        if node.id in _UNCHECKED:
            return Annotation(unchecked=True)
        return Annotation(frozenset({node.id})) if node.id in _PLAIN else Annotation(classes=(node.id,))
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        if node.value.id in _UNCHECKED:
            return Annotation(unchecked=True)
        if node.value.id == "Sequence":
            return Annotation(items=_read(node.slice))
        if node.value.id == "Mapping" and isinstance(node.slice, ast.Tuple):
            values = _read(node.slice.elts[1])
            return Annotation(values=Annotation(frozenset({_ANY_TEXT})) if "str" in values.plain else values)
    raise NotImplementedError(f"the annotation {ast.unparse(node)}")


def _either(one: Annotation, other: Annotation) -> Annotation:
    return Annotation(
        one.plain | other.plain,
        one.classes + other.classes,
        one.items or other.items,
        one.values or other.values,
        one.unchecked or other.unchecked,
    )


def _is_unicode(text: str) -> bool:
    """Whether text can be written in UTF-8; otherwise the process of jsii ends."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def is_instance(given: object, name: str) -> bool:
    """Whether a value is of a class or an interface, without importing it.

    Args:
        given: The value; what the CDK imports is of the interfaces that it has.
        name: The class as annotations name it: ``"Engine"``, ``"ecs.FargateService"``.
    """
    alias, _, simple = name.rpartition(".")
    module = _MODULES.get(alias, f"aws_cdk.aws_{alias.strip('_')}")
    # A construct that the CDK imports is a proxy of the interfaces that it has.
    delegates: Sequence[object] = getattr(given, "_delegates", ()) if _is_proxy(given) else (given,)
    for part in delegates:
        for found in _classes(type(part)):
            if found.__name__.removeprefix("_").removesuffix("Proxy") == simple and (
                found.__module__ == module if alias else found.__module__.startswith(_HOMES)
            ):
                return True
    return not alias and _has_members(given, _class_named(name))


def _is_proxy(given: object) -> bool:
    return type(given).__name__ == "InterfaceDynamicProxy"


@cache
def _classes(kind: type) -> tuple[type, ...]:
    """Classes and interfaces of a value, inherited ones too."""
    return tuple(
        found
        for base in kind.__mro__
        for declared in (base, *getattr(base, "__jsii_ifaces__", ()))
        for found in declared.__mro__
    )


def _class_named(name: str) -> type | None:
    """A class of this library, by its name; None for a class of aws-cdk-lib."""
    if "." in name:
        return None
    modules = [module for key, module in sys.modules.items() if key.startswith("cdk_redis.")]
    return next((found for module in modules if inspect.isclass(found := getattr(module, name, None))), None)


def _has_members(given: object, protocol: Any) -> bool:
    """Whether a value has what one of our interfaces declares, which classes of users implement without naming it."""
    if not getattr(protocol, "_is_protocol", False):
        return False
    members = [name for name in vars(protocol) if not name.startswith("_")]
    # The value may be None: the engine of an imported user group is unknown.
    return all(inspect.getattr_static(given, name, _MISSING) is not _MISSING for name in members)
