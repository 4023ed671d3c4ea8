"""Takes over a store that exists: its logical id, and the properties whose change replaces it, stay as deployed.

CloudFormation compares the texts of two templates. ``Port: 6379`` is a change for it where the deployed template has no
`Port`, although both mean the same. So what means the same is written as it is deployed, and what does not is an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import aws_cdk as cdk

from cdk_redis._core.errors import Problems

if TYPE_CHECKING:
    from constructs import IConstruct

    from cdk_redis._values.existing_resource import ExistingResource

_ABSENT = {"Ref": "AWS::NoValue"}


class Fixed(NamedTuple):
    """A property whose change replaces a store.

    Attributes:
        attribute: Its name in the L1 construct.
        parameter: The parameter of the store that sets it.
        defaults: Values that mean the same as leaving it out.
        only_at_creation: Whether the store may leave it out, because the service reads it only at creation.
        by_presence: Whether only adding and removing it replaces the store.
    """

    attribute: str
    parameter: str
    defaults: tuple[object, ...] = ()
    only_at_creation: bool = False
    by_presence: bool = False


def check_adopted_name(problems: Problems, parameter: str, name: str | None, existing: ExistingResource | None) -> None:
    """Check that a store whose name the library generates has the name that it has."""
    if existing is not None and name is None:
        problems.add(parameter, None, "a generated name is not the name of the existing store", "give its name")


def keep_as_deployed(
    store: IConstruct, resource: cdk.CfnResource, existing: ExistingResource | None, fixed: Mapping[str, Fixed]
) -> None:
    """Give a resource the logical id and the fixed properties that it is deployed with.

    Args:
        store: The store.
        resource: Its resource, with the properties that follow from the parameters of the store.
        existing: The deployed resource; None for a new store.
        fixed: The properties whose change replaces the store, by their names in templates.

    Raises:
        ConfigurationError: With each parameter that would replace the store.
    """
    if existing is None:
        return
    if existing.logical_id is not None:
        resource.override_logical_id(existing.logical_id)
    if existing.properties is None:
        return
    problems = Problems(store)
    for name, rule in fixed.items():
        deployed, own = existing.properties.get(name), _value(resource, rule.attribute)
        deployed = None if deployed == _ABSENT else deployed
        if rule.by_presence:
            if (deployed is None) is not (own is None):
                problems.note(_replacing(name, rule, deployed, own))
        elif own is None and rule.only_at_creation and deployed is not None:
            resource.add_property_override(name, deployed)
        elif not _means(deployed, own, rule.defaults):
            problems.note(_replacing(name, rule, deployed, own))
        elif deployed is None:
            if own is not None:
                setattr(resource, rule.attribute, None)
        elif deployed != own:
            resource.add_property_override(name, deployed)
    problems.raise_if_any()


def _value(resource: cdk.CfnResource, attribute: str) -> Any:
    # An older aws-cdk-lib does not have every property.
    return cdk.Stack.of(resource).resolve(getattr(resource, attribute, None))


def _means(deployed: object, own: object, defaults: tuple[object, ...]) -> bool:
    """Whether two values of a property mean the same to the service."""
    if deployed is None or own is None:
        other = _normal(deployed if own is None else own)
        return deployed is own or any(other == _normal(default) for default in defaults)
    if isinstance(deployed, list) and isinstance(own, list):
        both = (cast("list[object]", deployed), cast("list[object]", own))
        return len({tuple(sorted(map(_normal, items))) for items in both}) == 1
    return _normal(deployed) == _normal(own)


def _normal(value: object) -> str:
    """The value as text: numbers, flags and names in any case, and a key by its id, whether by its ARN or not."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value)
        if list(items) == ["Fn::GetAtt"] and items["Fn::GetAtt"][1:] == ["Arn"]:
            return _normal({"Ref": items["Fn::GetAtt"][0]})
        return json.dumps(items, sort_keys=True).lower()
    text = str(value).lower()
    return text.rpartition(":key/")[2] if ":kms:" in text else text


def _replacing(name: str, rule: Fixed, deployed: object, own: object) -> str:
    if rule.by_presence:  # the value is a secret
        change = f"remove {name}" if own is None else f"add {name}"
    else:
        old, new = ("nothing" if value is None else json.dumps(value) for value in (deployed, own))
        change = f"change {name} from {old} to {new}"
    return f"{rule.parameter}: it would {change}, which replaces the store; give it the deployed value"
