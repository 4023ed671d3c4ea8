"""Guards the use of the emulator's insides: each name must be there, and be what this package was written for.

ministack has no public Python interface. `declared` has all of its names that this package uses or replaces; the server
checks them before it uses any, and ends with one message that has every difference. So a version of ministack that does
not fit fails at the start, and not somewhere in a deploy. This module imports ministack only while it checks.
"""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import sys
import textwrap
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.declared import DECLARED, HANDLER_ARGUMENTS, HANDLERS, WRAPPED_TYPES

_EMULATOR = "ministack"
_MISSING = "missing"
# How each kind of parameter is written: "a" positional or keyword, "a/" positional only, "*a", "*, a" and "**a".
_PARAMETER = {
    inspect.Parameter.POSITIONAL_ONLY: "{}/",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "{}",
    inspect.Parameter.VAR_POSITIONAL: "*{}",
    inspect.Parameter.KEYWORD_ONLY: "{} only",
    inspect.Parameter.VAR_KEYWORD: "**{}",
}


class EmulatorChangedError(LocalCloudError):
    """The installed ministack differs from the one that this package was written for; the message has each name."""


def check_insides(declared: Mapping[str, Mapping[str, str]] = DECLARED) -> None:
    """Compare all declared names with the installed emulator.

    Args:
        declared: Maps modules and classes to their names, and each name to its kind, see :func:`kind_of`.

    Raises:
        EmulatorChangedError: At least one name is missing or of another kind.
    """
    found = [
        f"{owner}.{name}: expected {expected}, found {kind}"
        for owner, names in declared.items()
        for name, expected in names.items()
        if (kind := kind_of_name(owner, name)) != expected
    ] + list(_handler_differences())
    if found:
        raise EmulatorChangedError(
            f"ministack {importlib.metadata.version(_EMULATOR)} does not fit this version of cdk-redis, which needs "
            f"other insides; run `pip install 'cdk-redis[local]'` to install one that fits:\n  " + "\n  ".join(found)
        )


def kind_of_name(owner: str, name: str) -> str:
    """The kind of a name in a module or class, or ``missing``."""
    found = _import(owner)
    if found is None:
        return _MISSING
    if name in getattr(found, "__dataclass_fields__", ()):
        return "field"
    if hasattr(found, name):
        return kind_of(getattr(found, name))
    return "instance attribute" if name in _instance_attributes(found) else _MISSING


def kind_of(value: object) -> str:
    """``(a, b=)`` for a function with an optional parameter b, ``class (a)``, ``module``, ``exception`` or the type."""
    if isinstance(value, types.ModuleType):
        return "module"
    if isinstance(value, type) and issubclass(value, BaseException):
        return "exception"
    if isinstance(value, type):
        return f"class {_parameters(value)}"
    if inspect.isroutine(value):
        return f"{'async ' if inspect.iscoroutinefunction(value) else ''}{_parameters(value)}"
    return type(value).__name__


def replace(owner: Any, name: str, replacement: object) -> None:
    """Replace a declared name of the emulator, also in the modules of the emulator that have imported it.

    Args:
        owner: The module or class.
        name: The name.
        replacement: Its new value.

    Raises:
        EmulatorChangedError: The name is not declared, or a list or dictionary of the emulator has the value, too, and
            would keep it.
    """
    path = owner.__name__ if isinstance(owner, types.ModuleType) else f"{owner.__module__}.{owner.__qualname__}"
    if name not in DECLARED.get(path, ()):
        raise EmulatorChangedError(f"{path}.{name} is replaced without a line in _emulator/declared.py")
    replaced = getattr(owner, name)
    setattr(owner, name, replacement)
    if isinstance(replaced, types.ModuleType):  # other modules still use the real one
        return
    for module in [module for key, module in sys.modules.items() if key.split(".")[0] == _EMULATOR]:
        for other, value in list(vars(module).items()):
            if value is replaced:
                setattr(module, other, replacement)
            elif any(item is replaced for item in _items(value)):
                raise EmulatorChangedError(f"{path}.{name} cannot be replaced: {module.__name__}.{other} has it, too")


def _handler_differences() -> Iterator[str]:
    """The functions of CloudFormation's resource types that cannot be called as the local cloud calls them."""
    table: Mapping[str, Mapping[str, Any]] = _import(HANDLERS) or {}
    for resource_type in WRAPPED_TYPES:
        if resource_type not in table:
            yield f"{HANDLERS}[{resource_type!r}]: expected functions, found {_MISSING}"
    for resource_type, functions in table.items():
        for name, number in HANDLER_ARGUMENTS.items():
            if name in functions and not _accepts(functions[name], number):
                found = kind_of(functions[name])
                yield f"{HANDLERS}[{resource_type!r}][{name!r}]: expected {number} arguments, found {found}"


def _accepts(function: Any, number: int) -> bool:
    try:
        inspect.signature(function).bind(*range(number))
    except TypeError:
        return False
    return True


def _parameters(value: Any) -> str:
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):  # written in C
        return "(...)"
    written = [
        _PARAMETER[one.kind].format(one.name) + ("" if one.default is inspect.Parameter.empty else "=")
        for one in parameters
    ]
    return f"({', '.join(written)})"


def _import(path: str) -> Any:
    """The module or class with this path; None if it does not exist."""
    try:
        return importlib.import_module(path)
    except ImportError:
        module, _, name = path.rpartition(".")
        return getattr(_import(module), name, None) if module else None


def _instance_attributes(owner: Any) -> Iterable[str]:
    """The attributes that a class's methods assign to ``self``."""
    if not isinstance(owner, type):
        return
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(owner)))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            yield node.attr


def _items(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else ()
