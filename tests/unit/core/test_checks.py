"""Parameters that take a value of a class or its text, lists, flags and names."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from cdk_redis import (
    ConfigurationError,
    Durability,
    Endpoint,
    Engine,
    IpDiscovery,
    MaintenanceWindow,
    NetworkType,
    NodeType,
    Restore,
    Snapshots,
    SnapshotWindow,
    UsageLimits,
)
from cdk_redis._core.checks import check_flags, check_name, check_texts, list_of, value_of
from cdk_redis._core.errors import Problems

READ = [
    ("valkey:8.1", Engine.valkey("8.1")),
    ("redis:7.1", Engine.redis("7.1")),
    ("cache.r7g.large", NodeType("cache.r7g.large")),
    (ec2.InstanceType("r7g.large"), NodeType("r7g.large")),
    ("sun:05:00-sun:06:00", MaintenanceWindow("sun:05:00-sun:06:00")),
    ("03:00-04:00", SnapshotWindow("03:00-04:00")),
    (7, Snapshots.daily(7)),
    ("7", Snapshots.daily(7)),
    (0, Snapshots.off()),
    ("cache.example.com:6379", Endpoint("cache.example.com", 6379)),
    ("dual_stack", NetworkType.DUAL_STACK),
    ("ipv6", IpDiscovery.IPV6),
    ("sync", Durability.SYNC),
    ("orders-2026", Restore.from_snapshot("orders-2026")),
    ("arn:aws:s3:::backups/orders.rdb", Restore.from_s3("arn:aws:s3:::backups/orders.rdb")),
]


@pytest.mark.parametrize(
    ("given", "value"), READ, ids=[f"{type(value).__name__}-{number}" for number, (_, value) in enumerate(READ)]
)
def test_a_value_is_read_from_text_or_another_type(given: object, value: object) -> None:
    problems = Problems("Store")

    assert value_of(problems, "it", given, type(value)) == value
    assert value_of(problems, "it", value, type(value)) is value
    problems.raise_if_any()


@pytest.mark.parametrize("kind", sorted({type(value) for _, value in READ}, key=str), ids=lambda kind: kind.__name__)
def test_none_is_returned_for_a_parameter_that_is_left_out(kind: type[object]) -> None:
    problems = Problems("Store")

    assert value_of(problems, "it", None, kind) is None
    problems.raise_if_any()


WRONG = [
    (5, Engine, "got 5, but it takes Engine or text such as 'valkey:8.1'"),
    (True, Snapshots, "retention_days: got True, but snapshots are kept 0 to 35 days"),
    (b"valkey:8.1", Engine, "got a value of type bytes, but it takes Engine or text such as 'valkey:8.1'"),
    (["on ~* >password"], Engine, "got a value of type list, but it takes Engine or text such as 'valkey:8.1'"),
    ("8.1", Engine, """got '8.1', but an engine reads "valkey:VERSION" or "redis:VERSION", such as "valkey:8.1\""""),
    (float("nan"), NodeType, "got nan, but it takes NodeType or text such as 'cache.r7g.large'"),
    ("ipv5", NetworkType, "got 'ipv5', but it must be one of 'ipv4', 'dual_stack', 'ipv6'"),
    (4, NetworkType, "got 4, but it takes NetworkType or one of 'ipv4', 'dual_stack', 'ipv6'"),
    ("10", UsageLimits, "got text, but it takes UsageLimits"),
    (Engine.valkey("8.1"), Snapshots, "got a value of type Engine, but it takes Snapshots or text such as '7'"),
    (36, Snapshots, "retention_days: got 36, but snapshots are kept 0 to 35 days"),
    ("a week", Snapshots, "got 'a week', but snapshots are kept 0 to 35 whole days"),
    (
        "cache.example.com",
        Endpoint,
        """got 'cache.example.com', but an endpoint reads "host:port", \
such as "cache.example.com:6379\"""",
    ),
    ("cache:0", Endpoint, "port: got 0, but a port is a whole number from 1 to 65535"),
]


@pytest.mark.parametrize(("given", "kind", "message"), WRONG)
def test_other_input_is_a_problem_of_the_parameter(given: object, kind: type[object], message: str) -> None:
    problems = Problems("Store")

    assert value_of(problems, "it", given, kind) is None
    with pytest.raises(ConfigurationError) as caught:
        problems.raise_if_any()
    assert str(caught.value) == f"Store: it: {message}"


TOKENS = [
    (Engine, {"Fn::Select": [0, {"Fn::Split": [":", {"Ref": "Given"}]}]}, lambda engine: engine.name),
    (Engine, {"Fn::Select": [1, {"Fn::Split": [":", {"Ref": "Given"}]}]}, lambda engine: engine.version),
    (Endpoint, {"Fn::Select": [0, {"Fn::Split": [":", {"Ref": "Given"}]}]}, lambda endpoint: endpoint.address),
    (Endpoint, {"Fn::Select": [1, {"Fn::Split": [":", {"Ref": "Given"}]}]}, lambda endpoint: endpoint.port_text),
    (Snapshots, {"Ref": "Given"}, lambda snapshots: snapshots.retention_days),
    (NodeType, {"Ref": "Given"}, str),
    (MaintenanceWindow, {"Ref": "Given"}, str),
    (SnapshotWindow, {"Ref": "Given"}, str),
    (Restore, {"Ref": "Given"}, lambda restore: restore.snapshot_name),
]


@pytest.mark.parametrize(("kind", "resolved", "read"), TOKENS)
def test_a_token_passes_unchecked(kind: type[object], resolved: object, read: object) -> None:
    problems = Problems("Store")
    stack = cdk.Stack()

    value = value_of(problems, "it", cdk.Fn.ref("Given"), kind)

    problems.raise_if_any()
    assert stack.resolve(read(value)) == resolved  # type: ignore[operator]


def test_a_choice_rejects_tokens() -> None:
    with pytest.raises(ConfigurationError, match="write it out: a token is not known at synth"):
        NetworkType.from_text(cdk.Fn.ref("Given"))


def _messages(problems: Problems) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        problems.raise_if_any()
    return list(caught.value.problems)


def test_a_removal_policy_is_read_from_its_name() -> None:
    problems = Problems("Store")

    assert value_of(problems, "removal_policy", "RETAIN", cdk.RemovalPolicy) is cdk.RemovalPolicy.RETAIN
    problems.raise_if_any()
    assert value_of(problems, "removal_policy", "keep", cdk.RemovalPolicy) is None
    assert _messages(problems)[0].startswith("removal_policy: got text, but it takes RemovalPolicy or one of 'DESTROY'")


def test_a_list_is_read_item_by_item() -> None:
    problems = Problems("Store")

    assert list_of(problems, "windows", None, SnapshotWindow) == []
    assert list_of(problems, "windows", ("03:00-04:00", SnapshotWindow("05:00-06:00")), SnapshotWindow) == [
        SnapshotWindow("03:00-04:00"),
        SnapshotWindow("05:00-06:00"),
    ]
    problems.raise_if_any()


def test_each_wrong_item_of_a_list_is_a_problem() -> None:
    problems = Problems("Store")

    list_of(problems, "windows", "03:00-04:00", SnapshotWindow)
    list_of(problems, "windows", 5, SnapshotWindow)
    list_of(problems, "windows", [None, 7, "03:00-04:00"], SnapshotWindow)

    assert _messages(problems) == [
        "windows: got text, but it takes a list of SnapshotWindow",
        "windows: got 5, but it takes a list of SnapshotWindow",
        "windows[0]: got None, but it takes SnapshotWindow or text such as '03:00-04:00'",
        "windows[1]: got 7, but it takes SnapshotWindow or text such as '03:00-04:00'",
    ]


def test_a_flag_is_true_or_false() -> None:
    problems = Problems("Store")
    check_flags(problems, create_kms_key=True, unsafe_plaintext=False)
    problems.raise_if_any()

    check_flags(problems, create_kms_key=None, unsafe_plaintext="no", upgrade=1)

    assert _messages(problems) == [
        "create_kms_key: got None, but it must be True or False",
        "unsafe_plaintext: got text, but it must be True or False",
        "upgrade: got 1, but it must be True or False",
    ]


def test_text_is_not_empty_and_not_too_long() -> None:
    problems = Problems("Store")
    check_texts(problems, max_length=5, description="short", title=None, name=cdk.Fn.ref("Name"))
    problems.raise_if_any()

    check_texts(problems, max_length=5, description="longer", title=" ", name=b"name")

    assert _messages(problems) == [
        "description: got 6 characters, but it may have up to 5",
        "title: got ' ', but it must have at least one character",
        "name: got a value of type bytes, but it must be text",
    ]


@pytest.mark.parametrize("name", [None, "orders", cdk.Fn.ref("Name")])
def test_a_valid_name_passes(name: str | None) -> None:
    problems = Problems("Store")
    check_name(problems, "cluster_name", name, max_length=40)
    problems.raise_if_any()


@pytest.mark.parametrize("name", ["", "Orders", "a" * 41, 5, True, b"orders", ["orders"], float("nan")])
def test_an_invalid_name_is_a_problem(name: object) -> None:
    problems = Problems("Store")
    check_name(problems, "cluster_name", name, max_length=40)  # type: ignore[arg-type]
    assert len(_messages(problems)) == 1
