"""The body of a dashboard as the template has it, with names in place of CloudFormation's functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk.assertions import Template

from cdk_redis import RedisDashboard


def body_of(dashboard: RedisDashboard, name: Callable[[Mapping[str, Any]], str] = json.dumps) -> dict[str, Any]:
    """The body of a dashboard.

    Args:
        dashboard: The dashboard.
        name: Returns the text for a function of CloudFormation, such as ``{"Ref": "Store"}``. Default: - its JSON.
    """
    stack = cdk.Stack.of(dashboard)
    logical_id = stack.get_logical_id(cast("cdk.CfnElement", dashboard.dashboard.node.default_child))
    given = Template.from_stack(stack).to_json()["Resources"][logical_id]["Properties"]["DashboardBody"]
    parts = [given] if isinstance(given, str) else given["Fn::Join"][1]
    return json.loads("".join(one if isinstance(one, str) else json.dumps(name(one))[1:-1] for one in parts))
