"""Names that AWS accepts: unique, lower case, and new when the thing they name must be replaced."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import cast

import aws_cdk as cdk
from constructs import IConstruct

from cdk_redis._core.tokens import is_token

# ElastiCache takes 40 characters in a user's id, which is an IAM user's name too; MemoryDB as many in a name.
MAX_USER_NAME = 40

_DIGEST_LENGTH = 8


def unique_name(construct: IConstruct, *, max_length: int, replaced_by: object = None) -> str:
    """Name a thing after the path of its construct.

    Args:
        construct: The construct that the name is for; its path makes the name unique in the account's Region.
        max_length: Longest name that the service takes, in characters.
        replaced_by: Properties that force a replacement when they change; tokens allowed. Their digest becomes
            part of the name, because CloudFormation creates the new thing before it deletes the old one, and two
            things cannot have one name. Default: - the name depends on the path alone.

    Returns:
        Lower-case letters, digits and single hyphens, beginning with a letter.
    """
    suffix = "" if replaced_by is None else f"-{digest(construct, replaced_by)}"
    name = cdk.Names.unique_resource_name(construct, max_length=max_length - len(suffix), separator="-").lower()
    return re.sub(r"-{2,}", "-", name).strip("-") + suffix


def name_by_properties(resource: cdk.CfnResource, properties: Iterable[str], *also: object, max_length: int) -> str:
    """Name a resource after its construct and after those of its properties that replace it when they change.

    Call it once the resource has its properties, and assign the result to the property that holds the name.
    A property that is not set adds nothing: the names that exist stay when `properties` gets one more.

    Args:
        resource: The L1 construct; the name is made from the path of its parent construct.
        properties: Names of the create-only properties, in Python's spelling: ``("port", "kms_key_id")``. One that the
            installed aws-cdk-lib does not know counts as not set.
        also: What replaces the resource too, and cannot be read from it: a reference stays the same when the resource
            that it refers to is replaced. None adds nothing.
        max_length: Longest name that the service takes, in characters.

    Returns:
        A name as `unique_name` makes it.
    """
    values = {name: getattr(resource, name, None) for name in properties}
    set_values = {name: value for name, value in values.items() if value is not None}
    construct = cast("IConstruct", resource.node.scope)
    replaced_by = [set_values, *(value for value in also if value is not None)]
    return unique_name(construct, max_length=max_length, replaced_by=replaced_by)


def digest(construct: IConstruct, values: object) -> str:
    """Eight hexadecimal digits that stand for values; references to other resources count by their logical id."""
    resolved = cdk.Stack.of(construct).resolve(values)
    return hashlib.sha256(json.dumps(resolved, sort_keys=True).encode()).hexdigest()[:_DIGEST_LENGTH]


def name_problem(name: object, *, max_length: int) -> str | None:
    """Say what is wrong with a name given by the user; None if it is legal or a token.

    ElastiCache stores names in lower case and MemoryDB refuses others. The patterns in their schemas are not anchored,
    so no tool finds the error before the deploy.
    """
    if isinstance(name, str) and is_token(name):
        return None
    if isinstance(name, str) and len(name) <= max_length and re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        return None
    return (
        f"a name has 1 to {max_length} lower-case letters, digits and single hyphens, "
        "begins with a letter and does not end with a hyphen"
    )
