"""MemoryDB's parameter groups."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from cdk_redis import ConfigurationError, Engine, MemoryDbParameterGroup

GROUP = "AWS::MemoryDB::ParameterGroup"


@pytest.mark.parametrize(
    ("engine", "family"),
    [
        (Engine.valkey("7.3"), "memorydb_valkey7"),
        (Engine.valkey("7.2"), "memorydb_valkey7"),
        (Engine.redis("7.1"), "memorydb_redis7"),
        (Engine.redis("6.2"), "memorydb_redis6"),
        (Engine.of("valkey", "10.0", memorydb_family="memorydb_valkey10"), "memorydb_valkey10"),
    ],
    ids=str,
)
def test_the_family_follows_from_the_engine(stack: cdk.Stack, engine: Engine, family: str) -> None:
    assert MemoryDbParameterGroup(stack, "Parameters", engine=engine).family == family
    Template.from_stack(stack).has_resource_properties(GROUP, {"Family": family, "Parameters": {}})


def _name(engine: Engine, **given: str) -> str:
    stack = cdk.Stack(cdk.App(), "Stack")
    MemoryDbParameterGroup(stack, "Parameters", engine=engine, **given)
    (group,) = Template.from_stack(stack).find_resources(GROUP).values()
    return group["Properties"]["ParameterGroupName"]


def test_the_generated_name_changes_when_the_group_is_replaced() -> None:
    name = _name(Engine.valkey("7.3"))

    assert name == _name(Engine.valkey("7.2"))
    assert name != _name(Engine.redis("7.1"))
    assert name != _name(Engine.valkey("7.3"), description="Another")


def test_every_parameter_reaches_the_template(stack: cdk.Stack) -> None:
    MemoryDbParameterGroup(
        stack,
        "Parameters",
        engine=Engine.valkey("7.3"),
        parameters={"activedefrag": "yes"},
        description="Ours",
        parameter_group_name="ours",
    )

    Template.from_stack(stack).has_resource_properties(
        GROUP, {"ParameterGroupName": "ours", "Description": "Ours", "Parameters": {"activedefrag": "yes"}}
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"parameter_group_name": "Ours"},
            "parameter_group_name: got 'Ours', but a name has 1 to 255 lower-case letters, digits and single hyphens, "
            "begins with a letter and does not end with a hyphen",
        ),
        (
            {"parameters": {"timeout": 5}},
            "parameters['timeout']: got 5, but it must be text; write '5'",
        ),
        (
            {"engine": Engine.valkey("8.1")},
            "engine: got 'valkey 8.1', but its parameter group family is not known here; name it with "
            "Engine.of(..., memorydb_family=...)",
        ),
    ],
)
def test_an_invalid_parameter_group_is_rejected(stack: cdk.Stack, given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MemoryDbParameterGroup(stack, "Parameters", **{"engine": Engine.valkey("7.3"), **given})
    assert str(caught.value) == f"Stack/Parameters: {message}"


def test_an_imported_group_has_its_name_and_defines_no_resource(stack: cdk.Stack) -> None:
    group = MemoryDbParameterGroup.from_parameter_group_name(stack, "Parameters", "default.memorydb-valkey7")

    assert group.parameter_group_name == "default.memorydb-valkey7"
    Template.from_stack(stack).resource_count_is(GROUP, 0)
