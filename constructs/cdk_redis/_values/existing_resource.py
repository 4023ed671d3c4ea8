"""A store that exists: what its construct keeps, so that CloudFormation does not replace it.

Example:
    >>> ExistingResource("Cache", {"ReplicationGroupId": "orders", "NumCacheClusters": 2}).logical_id
    'Cache'
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.wording import shown

_STORES = ("AWS::ElastiCache::ReplicationGroup", "AWS::ElastiCache::ServerlessCache", "AWS::MemoryDB::Cluster")
_LOGICAL_ID = re.compile(r"[A-Za-z0-9]{1,255}")
_PROPERTY = re.compile(r"[A-Z][A-Za-z0-9]*")


@dataclass(frozen=True)
class ExistingResource:
    """A store that exists, for the parameter `adopt` of a store.

    A store of a deployed stack keeps its logical id, and each property whose change replaces it, as they are in the
    deployed template::

        aws cloudformation get-template --stack-name Orders --query TemplateBody > deployed.json

        ReplicationGroup(self, "Cache", ..., adopt=ExistingResource.from_template("deployed.json", "Cache"))

    Keep it in the code as long as the store exists. A parameter that would replace the store is an error at synth.

    A store that no stack manages needs neither argument: ``adopt=ExistingResource()``. Its first deployment is
    ``cdk import``. The page ``docs/adoption.md`` describes both ways.

    Attributes:
        logical_id: Logical id of the resource in the deployed template. None: - that of the construct.
        properties: Its properties in the deployed template, or those of them that CloudFormation does not change in
            place, and the number of nodes. None: - it is in no deployed template, and nothing is compared.
    """

    logical_id: str | None = None
    properties: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        """Check the logical id, and the names of the properties.

        Raises:
            ConfigurationError: If one is not as in a template.
        """
        problems = Problems("ExistingResource")
        logical_id: object = self.logical_id
        if logical_id is not None and not (isinstance(logical_id, str) and _LOGICAL_ID.fullmatch(logical_id)):
            problems.add("logical_id", logical_id, "a logical id has 1 to 255 letters and digits")
        properties: object = self.properties
        if properties is not None and not isinstance(properties, Mapping):
            problems.note(f"properties: got {shown(properties)}, but it takes a mapping such as a dict")
        elif properties is not None:
            for name in cast("Mapping[object, object]", properties):
                if not (isinstance(name, str) and _PROPERTY.fullmatch(name)):
                    hint = "write NumCacheClusters, not num_cache_clusters"
                    problems.add("properties", name, "a property has its name as in the template", hint)
        problems.raise_if_any()

    @classmethod
    def from_template(cls, template: Path | str, logical_id: str) -> ExistingResource:
        """Read a store from a template, and take over its logical id.

        Args:
            template: Path of the deployed template, in JSON: what ``aws cloudformation get-template`` returns, or the
                file of the stack in ``cdk.out``. Keep a copy in the repository of the app.
            logical_id: Logical id of the store in it.

        Raises:
            ConfigurationError: If the file cannot be read, or has no such store.
        """
        resources = _resources(template)
        stores = [name for name, one in resources.items() if isinstance(one, Mapping) and one.get("Type") in _STORES]
        if logical_id not in stores:
            reason = f"the stores in {template} are: {', '.join(stores) or 'none'}"
            hint = "a cache cluster without a replication group cannot be adopted" if not stores else ""
            raise ConfigurationError("ExistingResource", [problem("logical_id", logical_id, reason, hint)])
        return cls(logical_id, resources[logical_id].get("Properties", {}))


def _resources(template: Path | str) -> Mapping[str, Any]:
    given: object = template
    if not isinstance(given, (str, Path)):
        raise ConfigurationError("ExistingResource", [f"template: got {shown(given)}, but it takes the path of a file"])
    try:
        content = json.loads(Path(template).read_text())
    except OSError as error:
        raise _unreadable(template, f"it cannot be read: {error.strerror}", "") from None
    except ValueError:
        hint = "for one in YAML, give the logical id and the properties: ExistingResource(logical_id, properties)"
        raise _unreadable(template, "it is not JSON", hint) from None
    # `aws cloudformation get-template` without --query.
    body = content.get("TemplateBody", content) if isinstance(content, Mapping) else {}
    resources = body.get("Resources") if isinstance(body, Mapping) else None
    if not isinstance(resources, Mapping):
        raise _unreadable(template, "it has no resources", "give a template of CloudFormation")
    return cast("Mapping[str, Any]", resources)


def _unreadable(template: Path | str, reason: str, hint: str) -> ConfigurationError:
    return ConfigurationError("ExistingResource", [problem("template", str(template), reason, hint)])
