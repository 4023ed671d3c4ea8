"""Checks every argument of a public function against its annotation, before the function runs.

Python ignores annotations, and jsii reports a wrong type with a JavaScript stack trace, or only when the app is
synthesized. `checked_arguments` reads the annotation of each parameter: a new parameter is checked without another
line.

A parameter that also accepts text, such as ``engine: Engine | str``, accepts any text here: `value_of` reads it.
"""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ParamSpec, TypeVar, cast

from constructs import Construct, IConstruct

from cdk_redis._core.annotations import Annotation, read_annotation
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.presets import Values, preset_of, set_preset
from cdk_redis._core.tokens import is_token

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def checked_arguments(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Check the arguments of a function, a constructor, a method or a class method (below ``@classmethod``).

    What defines a construct and fails takes it out of the tree again, and a method what it added below its construct:
    who catches the error can try again with the same id.

    If the function has a parameter `preset`, parameters that are left out get the values of the preset that is given,
    or of the preset of the scope.

    Args:
        function: The function; of one that a class defines, the first parameter is the instance or the class.

    Raises:
        ConfigurationError: If it is called with a parameter that it does not have, without a required one, or with an
            argument of another type than its annotation.
    """

    @functools.wraps(function)
    def call(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        arguments = _Arguments(function, args, kwargs)
        arguments.check()
        kwargs.update(arguments.of_preset())
        defined = arguments.defined()
        arguments.check_id(defined)
        try:
            return function(*args, **kwargs)
        except ConfigurationError:
            for construct in arguments.defined():
                if not any(construct is one for one in defined):
                    cast("Construct", construct.node.scope).node.try_remove_child(construct.node.id)
            raise

    return call


@dataclass(frozen=True)
class _Signature:
    """What a function takes after the instance or class, read once."""

    owner: str
    is_of_class: bool
    parameters: dict[str, inspect.Parameter]
    annotations: dict[str, Annotation]
    positional: list[str]
    # Name of the parameter *names; None without one.
    rest: str | None
    takes_any_name: bool


@cache
def _signature(function: Callable[..., object]) -> _Signature:
    is_of_class = "." in function.__qualname__
    parameters = list(inspect.signature(function).parameters.values())[is_of_class:]
    rest = next((one.name for one in parameters if one.kind is one.VAR_POSITIONAL), None)
    annotations = {one.name: read_annotation(one.annotation) for one in parameters}
    if rest is not None:
        annotations[rest] = Annotation(items=annotations[rest])
    return _Signature(
        function.__qualname__.removesuffix(".__init__"),
        is_of_class,
        {one.name: one for one in parameters},
        annotations,
        [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD],
        rest,
        any(one.kind is one.VAR_KEYWORD for one in parameters),
    )


class _Arguments:
    """Arguments of one call."""

    def __init__(self, function: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, object]) -> None:
        self._signature = _signature(function)
        self._instance = args[0] if self._signature.is_of_class else None
        self._positional = args[self._signature.is_of_class :]
        self._named = kwargs
        self._given = {**dict(zip(self._signature.positional, self._positional, strict=False)), **kwargs}
        if self._signature.rest is not None:
            self._given[self._signature.rest] = self._positional[len(self._signature.positional) :]

    def defined(self) -> list[IConstruct]:
        """The constructs that are defined where the function defines its own."""
        if "scope" not in self._signature.parameters:
            return self._instance.node.children if isinstance(self._instance, Construct) else []
        found = cast("Construct", self._given["scope"]).node.try_find_child(cast("str", self._given["id"]))
        return [] if found is None else [found]

    def check(self) -> None:
        problems = Problems("")
        self._check_names(problems)
        for name, given in self._given.items():
            if name in self._signature.annotations:
                self._signature.annotations[name].check(problems, name, given)
        if "scope" in self._signature.parameters and is_token(self._given.get("id")):
            problems.note("id: got a token, but an id is written out: it is part of the path of the construct")
        if problems.found:
            raise ConfigurationError(self._where(), problems.found)

    def _check_names(self, problems: Problems) -> None:
        signature = self._signature
        if len(self._positional) > len(signature.positional) and signature.rest is None:
            allowed = f"only {', '.join(signature.positional)}" if signature.positional else "none"
            problems.note(f"arguments: got {len(self._positional)} without a name, but {allowed} can be")
        if not signature.takes_any_name:
            for name in self._named.keys() - signature.parameters.keys():
                closest = difflib.get_close_matches(name, signature.parameters, n=1, cutoff=0.8)
                hint = f"; did you mean {closest[0]!r}?" if closest else ""
                problems.note(f"{name}: {signature.owner} has no such parameter{hint}")
        for name in signature.positional[: len(self._positional)]:
            if name in self._named:
                problems.note(f"{name}: it is given twice, with and without its name")
        for name, one in signature.parameters.items():
            is_optional = one.default is not one.empty or one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
            if not is_optional and name not in self._given:
                problems.note(f"{name}: it is required")

    def of_preset(self) -> dict[str, object]:
        """Arguments that a preset has for parameters that were left out."""
        if "preset" not in self._signature.parameters:
            return {}
        preset = cast("Values | None", self._given.get("preset"))
        if preset is None:
            preset = preset_of(cast("Construct", self._given["scope"]))
        elif isinstance(self._instance, Construct):
            set_preset(self._instance, preset)
        return {} if preset is None else preset.arguments_for(self._signature.parameters, self._given)

    def check_id(self, defined: Sequence[IConstruct]) -> None:
        """Check that the id of a new construct is not taken."""
        if "scope" in self._signature.parameters and defined:
            reason = "this scope has a construct with that id"
            raise ConfigurationError(self._where(), [problem("id", self._given["id"], reason, "choose another id")])

    def _where(self) -> str:
        if "scope" not in self._signature.parameters:
            return self._instance.node.path if isinstance(self._instance, Construct) else self._signature.owner
        scope, child = self._given.get("scope"), self._given.get("id")
        if isinstance(scope, Construct) and isinstance(child, str):
            return f"{scope.node.path}/{child}".strip("/")
        return self._signature.owner
