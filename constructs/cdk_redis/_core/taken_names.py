"""Names that resources of an app have taken: AWS allows each once in a Region of an account."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_redis._core.location import are_different
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from constructs import Construct, IConstruct

    from cdk_redis._core.errors import Problems

# By the root of the construct tree: the constructs by the kind of their resource and by their name.
_TAKEN: weakref.WeakKeyDictionary[IConstruct, dict[tuple[str, str], list[str]]] = weakref.WeakKeyDictionary()


def check_not_taken(problems: Problems, parameter: str, name: str | None, *, scope: Construct, kind: str) -> None:
    """Check that no other construct has set the same name, in the same stack or in the same account and Region.

    Stacks whose account or Region is not known can be deployed to different ones.

    Args:
        problems: Where to add problems.
        parameter: Name of the parameter.
        name: The name; None and tokens pass.
        scope: The construct that sets the name.
        kind: The kind of its resource, such as ``"replication group"``; each kind has its own names.
    """
    if name is None or is_token(name):
        return
    root = scope.node.root
    paths = _TAKEN.setdefault(root, {}).setdefault((kind, name), [])
    for path in paths:
        # A construct that was refused is no longer in the tree.
        other = _construct_at(root, path)
        if other is not None and path != scope.node.path and _same_place(scope, other):
            reason = f"the {kind} {path} has this name, and AWS allows it once in an account and Region"
            problems.add(parameter, name, reason, "choose another name, or leave it out")
            return
    paths.append(scope.node.path)


def _construct_at(root: IConstruct, path: str) -> IConstruct | None:
    found: IConstruct | None = root
    # The path begins with the id of the root if that is not empty.
    for child in path.removeprefix(root.node.path).strip("/").split("/"):
        found = found.node.try_find_child(child) if found is not None else None
    return found


def _same_place(one: IConstruct, other: IConstruct) -> bool:
    stack, other_stack = cdk.Stack.of(one), cdk.Stack.of(other)
    if stack is other_stack:
        return True
    pairs = ((stack.account, other_stack.account), (stack.region, other_stack.region))
    return all(not is_token(own) and not is_token(its) and not are_different(own, its) for own, its in pairs)
