"""Finds the names of the emulator that the package uses, in its source."""

from __future__ import annotations

import ast
import importlib
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EMULATOR = "ministack"

Name = tuple[str, str]
"""A module or class of the emulator, and a name in it."""


def importing_files(folder: Path) -> list[Path]:
    """The files that import the emulator."""
    return [path for path in sorted(folder.rglob("*.py")) if _imports(ast.parse(path.read_text()))]


def used_names(path: Path) -> set[Name]:
    """The names of the emulator that a file uses: imported names, attributes, and names given to ``replace``.

    A variable whose annotation is a class of the emulator stands for its instances.
    """
    tree = ast.parse(path.read_text())
    known = _imports(tree)
    used: set[Name] = set()
    for dotted in known.values():
        used |= _names(dotted)
    for function in (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))):
        inner = known | {
            argument.arg: dotted
            for argument in function.args.args
            if argument.annotation is not None and (dotted := _dotted(argument.annotation, known))
        }
        used |= {name for node in ast.walk(function) for name in _uses(node, inner)}
    return used | {name for node in ast.walk(tree) for name in _uses(node, known)}


def assigned_names(path: Path) -> list[str]:
    """The names of the emulator that a file assigns to, instead of using ``replace``."""
    tree = ast.parse(path.read_text())
    known = _imports(tree)
    stored = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
    return [dotted for node in stored if (dotted := _dotted(node, known))]


def _imports(tree: ast.AST) -> dict[str, str]:
    """Maps the local names of what a file imports from the emulator to their paths."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == EMULATOR:
                    found |= {alias.asname: alias.name} if alias.asname else {EMULATOR: EMULATOR}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == EMULATOR:
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _uses(node: ast.AST, known: dict[str, str]) -> Iterator[Name]:
    if isinstance(node, ast.Attribute) and (dotted := _dotted(node, known)):
        yield from _names(dotted)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "replace":
        owner, name = node.args[0], node.args[1]
        if isinstance(name, ast.Constant) and (dotted := _dotted(owner, known)):
            yield from _names(f"{dotted}.{name.value}")


def _dotted(node: ast.AST, known: dict[str, str]) -> str:
    """The path of an expression such as ``elasticache._users.get``; empty if it is not of the emulator."""
    if isinstance(node, ast.Name):
        return known.get(node.id, "")
    if isinstance(node, ast.Attribute) and (start := _dotted(node.value, known)):
        return f"{start}.{node.attr}"
    return ""


def _names(dotted: str) -> set[Name]:
    """The names on a path, up to the first that is neither a module nor a class."""
    found: set[Name] = set()
    path, *rest = dotted.split(".")
    owner: Any = importlib.import_module(path)
    for name in rest:
        if not isinstance(owner, (types.ModuleType, type)):
            break
        if not _is_module(f"{path}.{name}"):
            found.add((path, name))
        path, owner = f"{path}.{name}", _get(owner, path, name)
    return found


def _is_module(path: str) -> bool:
    try:
        importlib.import_module(path)
    except ImportError:
        return False
    return True


def _get(owner: Any, path: str, name: str) -> Any:
    if _is_module(f"{path}.{name}"):
        return importlib.import_module(f"{path}.{name}")
    return getattr(owner, name, None)
