"""`RedisChecks` finds what no scanner does, in an app with L1 constructs only."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_memorydb as memorydb

from cdk_redis import MemoryDbCluster, Preset, RedisChecks, RedisNetwork, ReplicationGroup, ServerlessCache, acknowledge

Define = Callable[[cdk.Stack], object]


def group(**changes: Any) -> Define:
    properties = {
        "replication_group_description": "Orders",
        "user_group_ids": ["orders"],
        "transit_encryption_enabled": True,
        "snapshot_retention_limit": 7,
        **changes,
    }
    return lambda stack: elasticache.CfnReplicationGroup(stack, "Store", **properties)


def cluster(**changes: Any) -> Define:
    properties = {
        "cluster_name": "orders",
        "acl_name": "orders",
        "node_type": "db.r7g.large",
        "snapshot_retention_limit": 7,
        **changes,
    }
    return lambda stack: memorydb.CfnCluster(stack, "Store", **properties)


def serverless(**changes: Any) -> Define:
    properties = {"engine": "valkey", "serverless_cache_name": "orders", "user_group_id": "orders", **changes}
    return lambda stack: elasticache.CfnServerlessCache(stack, "Store", **{"snapshot_retention_limit": 7, **properties})


def user(access: str = "on ~app:* +@read", **changes: Any) -> Define:
    properties = {"user_id": "app", "user_name": "app", "engine": "valkey", "access_string": access, **changes}
    return lambda stack: elasticache.CfnUser(stack, "User", **properties)


def memorydb_user(access: str, kind: str = "iam") -> Define:
    return lambda stack: memorydb.CfnUser(
        stack, "User", user_name="app", access_string=access, authentication_mode={"Type": kind}
    )


def in_subnet(*, public: bool = False, route: str | None = None) -> Define:
    def define(stack: cdk.Stack) -> None:
        subnet = ec2.CfnSubnet(stack, "Subnet", vpc_id="vpc-1", map_public_ip_on_launch=public)
        table = ec2.CfnRouteTable(stack, "Table", vpc_id="vpc-1")
        ec2.CfnSubnetRouteTableAssociation(stack, "Of", route_table_id=table.ref, subnet_id=subnet.ref)
        if route is not None:
            gateway = ec2.CfnInternetGateway(stack, "Gateway").ref if route == "defined" else route
            ec2.CfnRoute(stack, "Route", route_table_id=table.ref, gateway_id=gateway)
        elasticache.CfnSubnetGroup(stack, "Subnets", description="Orders", subnet_ids=[subnet.ref])

    return define


def behind(
    rule: dict[str, Any], store: Callable[..., Define] = group, *, apart: bool = False, port: int | None = None
) -> Define:
    def define(stack: cdk.Stack) -> None:
        rules = [] if apart else [rule]
        found = ec2.CfnSecurityGroup(stack, "Group", group_description="Orders", security_group_ingress=rules)
        if apart:
            ec2.CfnSecurityGroupIngress(
                stack,
                "Rule",
                group_id=found.attr_group_id,
                ip_protocol=rule["ipProtocol"],
                cidr_ip=rule.get("cidrIp"),
                from_port=rule.get("fromPort"),
                to_port=rule.get("toPort"),
            )
        store(security_group_ids=[found.attr_group_id], **({"port": port} if port else {}))(stack)

    return define


def tcp(first: int, last: int, **source: str) -> dict[str, Any]:
    return {"ipProtocol": "tcp", "fromPort": first, "toPort": last, **(source or {"cidrIp": "0.0.0.0/0"})}


# Name of the rule, what breaks it, and what does not.
ROWS: list[tuple[str, Define, Define]] = [
    ("OpenAccess", cluster(acl_name="open-access"), cluster()),
    ("OpenAccess", serverless(user_group_id=None), serverless()),
    ("OpenAccess", group(user_group_ids=None), group(user_group_ids=None, auth_token="{{resolve:secretsmanager:a}}")),
    ("Plaintext", cluster(tls_enabled=False), cluster(tls_enabled=True)),
    ("Plaintext", group(transit_encryption_enabled=False), group()),
    ("Plaintext", group(transit_encryption_enabled=None), group()),
    (
        "Plaintext",
        group(transit_encryption_mode="preferred"),
        group(global_replication_group_id="ldgnf-1", transit_encryption_enabled=None),
    ),
    ("NoPassword", user(no_password_required=True), user(no_password_required=False)),
    (
        "NoPassword",
        user(authentication_mode={"Type": "no-password-required"}),
        user(authentication_mode={"Type": "iam"}),
    ),
    ("NoPassword", memorydb_user("on nopass ~app:* +@read"), memorydb_user("off nopass ~* +@all")),
    ("WideAccess", user("on ~* +@all"), user("on ~* +@all -@dangerous")),
    ("WideAccess", user("on allkeys &* allcommands"), user("on ~app:* +@all")),
    ("WideAccess", memorydb_user("on ~* &* +@all"), memorydb_user("off ~* -@all")),
    ("Snapshots", group(snapshot_retention_limit=0), group()),
    ("Snapshots", cluster(snapshot_retention_limit=None), cluster()),
    ("Snapshots", serverless(snapshot_retention_limit=0), serverless()),
    ("PublicSubnets", in_subnet(public=True), in_subnet()),
    ("PublicSubnets", in_subnet(route="defined"), in_subnet(route="vgw-1")),
    ("PublicSubnets", in_subnet(route="igw-1"), in_subnet()),
    ("OpenSecurityGroup", behind(tcp(6379, 6379)), behind(tcp(6379, 6379, cidrIp="10.0.0.0/8"))),
    ("OpenSecurityGroup", behind(tcp(6379, 6379), apart=True), behind(tcp(6379, 6379), port=6400)),
    ("OpenSecurityGroup", behind(tcp(0, 65535, cidrIpv6="::/0"), cluster), behind(tcp(443, 443), cluster)),
    ("OpenSecurityGroup", behind(tcp(6380, 6380), serverless), behind(tcp(6381, 6390), serverless)),
    ("OpenSecurityGroup", behind({"ipProtocol": "-1", "cidrIp": "0.0.0.0/0"}), behind(tcp(6380, 6380))),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[str, str]]]:
    """Rules and constructs that are reported, by stack: one app for all rows."""
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("checks")))
    cdk.Validations.of(app).add_plugins(RedisChecks())
    for number, (_, *both) in enumerate(ROWS):
        for kind, define in zip(("breaks", "fits"), both, strict=True):
            define(cdk.Stack(app, f"{kind}-{number}"))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    return read(Path(app.outdir))


def read(folder: Path) -> dict[str, list[tuple[str, str]]]:
    report = json.loads((folder / "validation-report.json").read_text())
    (own,) = [one for one in report["pluginReports"] if one["pluginName"] == "RedisChecks"]
    reported: dict[str, list[tuple[str, str]]] = {}
    for violation in own["violations"]:
        for construct in violation["violatingConstructs"]:
            stack, _, path = construct["constructPath"].partition("/")
            reported.setdefault(stack, []).append((violation["ruleName"], path))
    return reported


@pytest.mark.parametrize("number", range(len(ROWS)), ids=lambda number: f"{ROWS[number][0]}-{number}")
def test_each_rule_finds_what_breaks_it_and_nothing_else(number: int, found: dict[str, list[tuple[str, str]]]) -> None:
    assert [rule for rule, _ in found.get(f"breaks-{number}", [])] == [f"RedisChecks-{ROWS[number][0]}"]
    assert f"fits-{number}" not in found


def test_every_rule_has_rows() -> None:
    assert {f"RedisChecks-{row[0]}" for row in ROWS} == set(RedisChecks().rule_ids)


def test_stores_with_the_defaults_of_the_library_have_no_finding(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    cdk.Validations.of(app).add_plugins(RedisChecks())
    stack = cdk.Stack(app, "Stack")
    network = RedisNetwork(stack, "Network")
    for store in (ReplicationGroup, MemoryDbCluster, ServerlessCache):
        store(stack, store.__name__, network=network, preset=Preset.dev()).add_iam_user("app", "on ~app:* +@read")
    app.synth()


def test_an_acknowledged_finding_is_no_error(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    cdk.Validations.of(app).add_plugins(RedisChecks())
    stack = cdk.Stack(app, "Stack")
    cache = ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"))
    operators = cache.add_iam_user("operators", "on ~* +@all")
    acknowledge(operators, {"RedisChecks-WideAccess": "the operators' user"})
    app.synth()
