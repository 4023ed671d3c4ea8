"""What CloudFormation checks before it changes anything: templates, properties, and at the creation of change sets."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import parse_qs, urlencode

from ministack.services import cloudformation, elasticache
from ministack.services.cloudformation import changesets, engine, stacks

from cdk_redis_local._emulator.insides import replace

Resources = dict[str, dict[str, dict[str, Any]]]
_INTRINSIC = ("Ref", "Condition")
_PROPERTIES = "PROPERTY_VALIDATION"
# https://github.com/aws/aws-cdk-cli/issues/1000 has the sentence.
_EARLY = (
    "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]. To troubleshoot Early "
    "Validation errors, use the DescribeEvents API for detailed failure information."
)


def check_templates_with(refused: Callable[[Mapping[str, Any]], str | None]) -> None:
    """Refuse templates, when a stack or change set is created or updated, with the message of this function."""
    emulated = engine.validate_template_support

    def validate(template: dict[str, Any], conditions: dict[str, Any], params: dict[str, Any] | None = None) -> None:
        emulated(template, conditions, params)
        if (words := refused(template)) is not None:
            raise ValueError(words)

    replace(engine, "validate_template_support", validate)


def check_properties_with(problems: Callable[[str, dict[str, Any]], list[tuple[str, str]]], unknown: object) -> None:
    """Check the properties of resources before a stack is changed.

    Args:
        problems: Called with a type and the properties that are known; returns path and message of each problem.
        unknown: Stands for a value that is known only during the deployment.
    """
    emulated = stacks._validation_errors

    def errors(
        resources_defs: dict[str, Any],
        ordered: list[str],
        param_values: dict[str, Any],
        conditions: dict[str, Any],
        mappings: dict[str, Any],
        stack_name: str,
        stack_id: str,
        owned_buckets: frozenset[str] = frozenset(),
    ) -> list[tuple[str, str, str, str, str]]:
        values = (param_values, conditions, mappings, stack_name, stack_id)
        found = list(emulated(resources_defs, ordered, *values, owned_buckets))

        def resolve(node: Any) -> Any:
            if any(name in resources_defs for name, _ in engine._intrinsic_references(node)):
                return unknown
            return engine._resolve_refs(node, {}, *values)

        for logical_id in ordered:
            resource = resources_defs[logical_id]
            if conditions.get(resource.get("Condition"), True):
                known = _known(resource.get("Properties") or {}, resolve, unknown)
                for path, words in problems(str(resource.get("Type")), known):
                    place = f"/Resources/{logical_id}/Properties" + (f"/{path}" if path else "")
                    found.append((logical_id, resource["Type"], _PROPERTIES, place, words))
        return found

    replace(stacks, "_validation_errors", errors)


def _known(node: Any, resolve: Callable[[Any], Any], unknown: object) -> Any:
    """The node with the values that are known before the deployment."""
    if isinstance(node, str):
        return unknown if "{{resolve:" in node else node
    if isinstance(node, list):
        items = [_known(item, resolve, unknown) for item in cast("list[Any]", node)]
        return [item for item in items if item is not engine._NO_VALUE]
    if not isinstance(node, dict):
        return node
    entries = cast("dict[str, Any]", node)
    name = next(iter(entries), "")
    if len(entries) == 1 and (name in _INTRINSIC or name.startswith("Fn::")):
        try:
            value = resolve(entries)
        except (KeyError, ValueError):  # such as the export of a stack that does not exist: the deployment tells it
            return unknown
        return _known(value, resolve, unknown) if isinstance(value, (str, list)) else value
    known = {key: _known(value, resolve, unknown) for key, value in entries.items()}
    return {key: value for key, value in known.items() if value is not engine._NO_VALUE}


def fail_change_sets() -> None:
    """Let a change set fail at its creation if its properties are invalid; DescribeEvents has the reasons.

    The emulator checks them when a stack is changed, which AWS does, too.
    """
    emulated = cloudformation.handle_request

    async def handle(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        parameters = {key: values[-1] for key, values in parse_qs(body.decode(errors="replace")).items()}
        name, stack = parameters.get("ChangeSetName", ""), parameters.get("StackName", "")
        action = parameters.get("Action")
        if action == "DescribeEvents" and name:
            change_set = changesets._find_change_set(name, stack)[1]
            if change_set is not None and change_set["StatusReason"] == _EARLY:
                # The events are at the stack, with which the emulator answers.
                parameters["StackName"] = change_set["StackName"]
                del parameters["ChangeSetName"]
                body = urlencode(parameters).encode()
        answer = await emulated(method, path, headers, body, query_params)
        if action == "CreateChangeSet":
            _validate(changesets._find_change_set(name, stack.split("/")[1] if "/" in stack else stack)[1])
        return answer

    replace(cloudformation, "handle_request", handle)


def _validate(change_set: dict[str, Any] | None) -> None:
    if change_set is None or change_set["Status"] != "CREATE_COMPLETE" or change_set["_disable_validation"]:
        return
    template, values = change_set["_template"], change_set["_resolved_params"]
    conditions = engine._evaluate_conditions(template, values)
    resources = template.get("Resources", {})
    ordered = [name for name, one in resources.items() if conditions.get(one.get("Condition"), True)]
    stack, identifier = change_set["StackName"], change_set["StackId"]
    mappings = template.get("Mappings", {})
    found = stacks._validation_errors(resources, ordered, values, conditions, mappings, stack, identifier)
    found = [one for one in found if one[2] == _PROPERTIES]
    if not found:
        return
    change_set.update({"Status": "FAILED", "ExecutionStatus": "UNAVAILABLE", "StatusReason": _EARLY})
    operation = change_set["ChangeSetId"].rsplit("/", 1)[-1]
    record = cloudformation._stacks.get(stack)
    if record is not None:
        record["_operation_events"] = [
            stacks._operation_event(
                identifier,
                operation,
                "VALIDATION_ERROR",
                "CREATE_CHANGESET",
                LogicalResourceId=logical_id,
                ResourceType=resource_type,
                ValidationFailureMode="FAIL",
                ValidationName=name,
                ValidationStatus="FAILED",
                ValidationStatusReason=words,
                ValidationPath=place,
            )
            for logical_id, resource_type, name, place, words in found
        ]


def elasticache_resources() -> Resources:
    """What the emulator's ElastiCache API knows: type, name and properties, also of what no stack created."""
    service = "AWS::ElastiCache::"
    return {
        f"{service}User": {
            str(name).lower(): {"UserName": user["UserName"], "Engine": user["Engine"]}
            for name, user in elasticache._users.items()
        },
        f"{service}UserGroup": {
            str(name).lower(): {"Engine": group["Engine"], "UserIds": list(group["UserIds"])}
            for name, group in elasticache._user_groups.items()
        },
        f"{service}ParameterGroup": {
            str(name).lower(): {"CacheParameterGroupFamily": group["CacheParameterGroupFamily"]}
            for name, group in elasticache._param_groups.items()
        },
        f"{service}SubnetGroup": {str(name).lower(): {} for name in elasticache._subnet_groups},
    }
