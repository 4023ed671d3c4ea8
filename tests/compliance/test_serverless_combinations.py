"""Any combination of a serverless cache's parameters is refused by the constructor, or passes cfn-lint."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template
from cfnlint.api import ManualArgs, lint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdk_redis import (
    AccessString,
    ConfigurationError,
    Engine,
    NetworkType,
    RedisNetwork,
    Restore,
    ServerlessCache,
    Snapshots,
    SnapshotWindow,
    UsageLimits,
)

REGION = "us-east-1"
COMBINATIONS = 400
# CloudFormation accepts 500 resources in a template.
LINTED = 60

# Functions, because the constructors of the values raise errors too.
_bound = st.none() | st.integers(-1, 6_000) | st.integers(999, 15_000_001)
_bounds = st.none() | st.tuples(_bound, _bound)
_times = st.sampled_from([None, "00:00", "22:00", "24:00", "3"])
PARAMETERS: dict[str, st.SearchStrategy[Callable[[], Any]]] = {
    "engine": st.sampled_from(["7", "8", "9", "8.1", "6", "10"]).map(lambda text: lambda: Engine.of("valkey", text))
    | st.sampled_from(["7", "7.1", "6.2"]).map(lambda text: lambda: Engine.redis(text)),
    "usage_limits": st.tuples(_bounds, _bounds).map(lambda both: lambda: UsageLimits(*both)),
    "snapshots": st.tuples(st.integers(-1, 36), _times).map(lambda both: lambda: Snapshots.daily(both[0], at=both[1]))
    | st.sampled_from([Snapshots.off, lambda: Snapshots.daily(window=SnapshotWindow("03:00-04:00"))]),
    "restore": st.sampled_from(
        [
            lambda: Restore.from_s3("arn:aws:s3:::backups/one.rdb", "arn:aws:s3:::backups/two.rdb"),
            lambda: Restore.from_snapshot(f"arn:aws:elasticache:{REGION}:111122223333:snapshot:nightly"),
            lambda: Restore.from_snapshot("nightly"),
            lambda: Restore.from_s3("https://backups/one.rdb"),
        ]
    ),
    "network_type": st.sampled_from([*NetworkType, "ipv4"]).map(lambda value: lambda: value),
    "create_kms_key": st.booleans().map(lambda value: lambda: value),
    "kms_key": st.sampled_from([REGION, "eu-west-1"]).map(lambda region: lambda: region),
    "serverless_cache_name": st.text("aB0-", max_size=42).map(lambda text: lambda: text),
    "description": st.text("a ", max_size=300).map(lambda text: lambda: text),
    "removal_policy": st.sampled_from(
        [cdk.RemovalPolicy.SNAPSHOT, cdk.RemovalPolicy.RETAIN, cdk.RemovalPolicy.DESTROY]
    ).map(lambda value: lambda: value),
    "unsafe_open_access": st.booleans().map(lambda value: lambda: value),
}


Drawn = dict[str, Callable[[], Any]]


def combinations() -> st.SearchStrategy[Drawn]:
    """A few parameters at a time: with all of them at once, hardly any combination would be accepted."""
    some = st.sets(st.sampled_from(sorted(PARAMETERS)), max_size=4)
    return some.flatmap(lambda names: st.fixed_dictionaries({name: PARAMETERS[name] for name in sorted(names)}))


def new_network(app: cdk.App, name: str) -> RedisNetwork:
    stack = cdk.Stack(app, name, env=cdk.Environment(account="111122223333", region=REGION))
    return RedisNetwork(stack, "Network")


def define(network: RedisNetwork, id: str, drawn: Drawn) -> None:
    stack = cdk.Stack.of(network)
    parameters = {name: make() for name, make in drawn.items()}
    if region := parameters.get("kms_key"):
        key_arn = f"arn:aws:kms:{region}:111122223333:key/{id}"
        parameters["kms_key"] = kms.Key.from_key_arn(stack, f"{id}Key", key_arn)
    cache = ServerlessCache(stack, id, network=network, **parameters)
    if not cache.open_access:
        cache.add_iam_user("app", AccessString.read_only("*"))


def test_every_combination_is_refused_or_passes_cfn_lint() -> None:
    app = cdk.App()
    linted, others = (new_network(app, name) for name in ("Linted", "Others"))
    accepted: list[Drawn] = []
    refused: list[ConfigurationError] = []

    @settings(
        max_examples=COMBINATIONS, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck]
    )
    @given(drawn=combinations())
    def combine(drawn: Drawn) -> None:
        try:
            define(linted if len(accepted) < LINTED else others, f"Cache{len(accepted) + len(refused)}", drawn)
        except ConfigurationError as error:
            refused.append(error)
        else:
            accepted.append(drawn)

    combine()
    assert all(error.problems for error in refused)
    assert min(len(refused), len(accepted)) > 50
    template = Template.from_stack(cdk.Stack.of(linted)).to_json()
    matches = lint(json.dumps(template), config=ManualArgs(regions=[REGION]))
    found = [f"{match.rule.id} {match.path}: {match.message}" for match in matches if match.rule.severity == "error"]
    assert found == []
