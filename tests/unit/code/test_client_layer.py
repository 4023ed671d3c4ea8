"""`RedisClientLayer` and `client_layer` of a store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import assertions
from aws_cdk import aws_lambda as lambda_

from cdk_redis import RedisClientLayer, RedisNetwork, ReplicationGroup, ServerlessCache
from cdk_redis._code.package import client_files


def layers_of(stack: cdk.Stack) -> Mapping[str, Any]:
    return assertions.Template.from_stack(stack).find_resources("AWS::Lambda::LayerVersion")


def test_a_layer_says_where_it_can_be_used(stack: cdk.Stack) -> None:
    RedisClientLayer(stack, "Client")

    assertions.Template.from_stack(stack).has_resource_properties(
        "AWS::Lambda::LayerVersion",
        {
            "CompatibleArchitectures": ["arm64", "x86_64"],
            "CompatibleRuntimes": ["python3.11", "python3.12", "python3.13", "python3.14"],
            "Description": "redis-py and cdk_redis_runtime",
            "LicenseInfo": "Apache-2.0 AND MIT",
        },
    )


def test_a_layer_has_the_files_of_the_smoke_test_where_python_finds_them(app: cdk.App, stack: cdk.Stack) -> None:
    RedisClientLayer(stack, "Client")
    (asset,) = Path(app.outdir).glob("asset.*")

    found = {path.relative_to(asset).as_posix() for path in asset.rglob("*") if path.is_file()}

    assert found == {f"python/{file.path}" for file in client_files()}


def test_a_stack_has_one_layer_for_all_stores_and_functions(stack: cdk.Stack, network: RedisNetwork) -> None:
    stores = [ReplicationGroup(stack, "Orders", network=network), ServerlessCache(stack, "Sessions", network=network)]
    for number, store in enumerate([*stores, *stores]):
        function = lambda_.Function(
            stack,
            f"Function{number}",
            runtime=lambda_.Runtime.PYTHON_3_14,
            handler="index.handler",
            code=lambda_.Code.from_inline("from cdk_redis_runtime import connect"),
        )
        function.add_layers(store.client_layer())

    assert len(layers_of(stack)) == 1


def test_a_layer_of_another_stack_is_not_exported() -> None:
    app = cdk.App(context={"@aws-cdk/core:defaultCrossStackReferences": "strong"})
    data, web = (cdk.Stack(app, name) for name in ("Data", "Web"))
    function = lambda_.Function(
        web,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="index.handler",
        code=lambda_.Code.from_inline("from cdk_redis_runtime import connect"),
    )
    function.add_layers(RedisClientLayer(data, "Client"))

    assert '"Export"' not in json.dumps([assertions.Template.from_stack(stack).to_json() for stack in (data, web)])


def test_a_function_of_another_stack_gets_a_layer_of_its_own_stack(
    app: cdk.App, stack: cdk.Stack, network: RedisNetwork
) -> None:
    store = ReplicationGroup(stack, "Orders", network=network)
    other = cdk.Stack(app, "Other", env=cdk.Environment(account="111122223333", region="eu-west-1"))

    assert store.client_layer(stack=other) is store.client_layer(stack=other)
    assert store.client_layer(stack=other) is not store.client_layer()
    assert len(layers_of(other)) == len(layers_of(stack)) == 1
