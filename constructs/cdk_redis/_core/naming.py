"""Names that AWS accepts: unique, in lower case, and different when the resource must be replaced."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from typing import cast

import aws_cdk as cdk
from constructs import IConstruct

from cdk_redis._core.tokens import is_token

# ElastiCache accepts 40 characters in the id of a user, which is also the name of an IAM user. MemoryDB accepts 40
# characters in the name of a user.
MAX_USER_NAME = 40

_DIGEST_LENGTH = 8
_LONGEST_DESCRIPTION = 255
_NOT_IN_DESCRIPTIONS = re.compile(r"[^a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]")


def unique_name(construct: IConstruct, *, max_length: int, replaced_by: object = None) -> str:
    """Generate a name from the path of a construct.

    Args:
        construct: The construct that the name is for; its path makes the name unique in the account's Region.
        max_length: Maximum number of characters.
        replaced_by: Properties whose change replaces the resource; tokens allowed. Their digest becomes part of the
            name, because CloudFormation creates the new resource before it deletes the old one, and two resources
            cannot have the same name. Default: - the name depends on the path only.

    Returns:
        Lower-case letters, digits and single hyphens, beginning with a letter.
    """
    suffix = "" if replaced_by is None else f"-{digest(construct, replaced_by)}"
    name = cdk.Names.unique_resource_name(construct, max_length=max_length - len(suffix), separator="-").lower()
    return re.sub(r"-{2,}", "-", name).strip("-") + suffix


def description_of(text: str) -> str:
    """Turn text into a description that AWS accepts for a resource of any service.

    A construct's path contains the characters of its ids. Security groups and their rules accept the fewest: 255
    characters, most of ASCII without quotation marks. Other services accept more.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html

    Args:
        text: The text, such as ``"Store CacheStack/Cache"``. Letters with accents lose them; any other character that
            is not accepted becomes a hyphen. Text that AWS accepts does not change.
    """
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return _NOT_IN_DESCRIPTIONS.sub("-", plain)[:_LONGEST_DESCRIPTION]


def name_by_properties(resource: cdk.CfnResource, properties: Iterable[str], *also: object, max_length: int) -> str:
    """Generate a name from the path of a construct and from the properties whose change replaces its resource.

    Call this after the properties of the resource are set, and assign the result to the property for the name.
    A property that is not set does not change the name, so that `properties` can be extended.

    Args:
        resource: The L1 construct. The name begins with the path of its parent construct.
        properties: Names of the create-only properties, in Python's spelling: ``("port", "kms_key_id")``. One that the
            installed aws-cdk-lib does not know counts as not set.
        also: Other values whose change replaces the resource. The resource may have only a reference, which stays the
            same when the resource that it refers to is replaced. None is ignored.
        max_length: Maximum number of characters.

    Returns:
        A name as `unique_name` returns it.
    """
    values = {name: getattr(resource, name, None) for name in properties}
    set_values = {name: value for name, value in values.items() if value is not None}
    construct = cast("IConstruct", resource.node.scope)
    replaced_by = [set_values, *(value for value in also if value is not None)]
    return unique_name(construct, max_length=max_length, replaced_by=replaced_by)


def digest(construct: IConstruct, values: object) -> str:
    """Digest of values as eight hexadecimal digits; a reference to a resource counts as its logical id."""
    resolved = cdk.Stack.of(construct).resolve(values)
    return hashlib.sha256(json.dumps(resolved, sort_keys=True).encode()).hexdigest()[:_DIGEST_LENGTH]


def name_problem(name: object, *, max_length: int) -> str | None:
    """Return what is allowed if a name is invalid, and None if it is valid or a token.

    ElastiCache stores names in lower case and MemoryDB rejects others. The patterns in their schemas are not anchored,
    so that no tool finds the error before the deployment.
    """
    if isinstance(name, str) and is_token(name):
        return None
    if isinstance(name, str) and len(name) <= max_length and re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        return None
    return (
        f"a name has 1 to {max_length} lower-case letters, digits and single hyphens, "
        "begins with a letter and does not end with a hyphen"
    )
