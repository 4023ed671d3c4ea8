"""Each pair of security groups has its rules once: EC2 refuses a second rule with the same groups and ports."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from cdk_redis import FailoverDrill, RedisNetwork, ReplicationGroup, SmokeTest
from tests.unit.store.support.targets import duplicates, function, rules, template_of


class Scene:
    """A store, and clients with one security group, in the stack of the store or in another."""

    def __init__(self, *, another: bool, clients_group: bool = False, password: bool = False) -> None:
        self.app = cdk.App()
        self.data = cdk.Stack(self.app, "Data")
        self.stack = cdk.Stack(self.app, "Web") if another else self.data
        self.network = RedisNetwork(self.data, "Network")
        self.cache = ReplicationGroup(self.data, "Cache", network=self.network)
        access = "on ~* &* +@all -@admin"
        self.user = (self.cache.add_password_user if password else self.cache.add_iam_user)("app", access)
        self.group: ec2.ISecurityGroup = self.network.client_security_group
        if not clients_group:
            self.group = ec2.SecurityGroup(self.stack, "Group", vpc=self.network.vpc, allow_all_outbound=False)

    def smoke_test(self, id: str = "SmokeTest") -> SmokeTest:
        return SmokeTest(self.stack, id, target=self.cache, user=self.user, security_groups=[self.group])

    def drill(self) -> FailoverDrill:
        return FailoverDrill(self.stack, "Drill", target=self.cache, user=self.user, security_groups=[self.group])

    def bind(self, id: str = "App", group: ec2.ISecurityGroup | None = None) -> None:
        bound = function(self.stack, self.network, id, security_groups=[group or self.group])
        self.cache.bind(bound, user=self.user)

    def templates(self) -> list[dict[str, Any]]:
        stacks = [self.data] if self.stack is self.data else [self.data, self.stack]
        return [template_of(stack) for stack in stacks]

    def pairs(self) -> list[tuple[str, int]]:
        """Kind and port of the rules of the clients' group."""
        own = self.stack.resolve(self.group.security_group_id)
        found: list[tuple[str, int]] = []
        for template in self.templates():
            found += [("in", one["FromPort"]) for one in rules(template, "Ingress") if _source(one) == own]
            found += [("out", one["FromPort"]) for one in rules(template, "Egress") if one["GroupId"] == own]
        return sorted(found)


def _source(rule: dict[str, Any]) -> object:
    return rule["SourceSecurityGroupId"]


def _import(it: Scene, id: str) -> ec2.ISecurityGroup:
    return ec2.SecurityGroup.from_security_group_id(it.stack, id, it.group.security_group_id, allow_all_outbound=False)


USES: dict[str, Callable[[Scene], object]] = {
    "two smoke tests": lambda it: [it.smoke_test(id) for id in ("One", "Two")],  # noqa: A001
    "a smoke test and a drill": lambda it: [it.smoke_test(), it.drill()],
    "a smoke test and a function": lambda it: [it.smoke_test(), it.bind()],
    "a function and a smoke test": lambda it: [it.bind(), it.smoke_test()],
    "two functions": lambda it: [it.bind("One"), it.bind("Two")],
    "two functions with imports of the group": lambda it: [
        it.bind("One", _import(it, "ImportOne")),
        it.bind("Two", _import(it, "ImportTwo")),
    ],
}


@pytest.mark.parametrize("another", [False, True], ids=["one stack", "another stack"])
@pytest.mark.parametrize("password", [False, True], ids=["IAM", "password"])
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_clients_with_one_security_group_share_its_rules(
    use: Callable[[Scene], object], another: bool, password: bool
) -> None:
    it = Scene(another=another, password=password)
    use(it)

    assert it.pairs() == [*([("in", 443)] if password else []), ("in", 6379)] + [
        *([("out", 443)] if password else []),
        ("out", 6379),
    ]
    assert duplicates(it.templates()) == []


@pytest.mark.parametrize("another", [False, True], ids=["one stack", "another stack"])
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_the_clients_security_group_of_the_network_has_rules_already(
    use: Callable[[Scene], object], another: bool
) -> None:
    it = Scene(another=another, clients_group=True)
    before = [
        (rules(one, "Ingress"), rules(one, "Egress")) for one in Scene(another=another, clients_group=True).templates()
    ]
    use(it)

    assert [(rules(one, "Ingress"), rules(one, "Egress")) for one in it.templates()] == before


def test_the_second_test_waits_for_the_rules_of_the_first() -> None:
    it = Scene(another=False)
    it.smoke_test("One")
    it.smoke_test("Two")

    template = Template.from_stack(it.data)
    opened = {
        name
        for way in ("Ingress", "Egress")
        for name, rule in template.find_resources(f"AWS::EC2::SecurityGroup{way}").items()
        if "Smoke test" in rule["Properties"]["Description"]
    }
    assert opened
    for trigger in template.find_resources("Custom::Trigger").values():
        assert opened <= set(trigger["DependsOn"])


def test_a_rule_to_other_ports_is_another_rule(stack: cdk.Stack, network: RedisNetwork) -> None:
    group = ec2.SecurityGroup(stack, "Group", vpc=network.vpc, allow_all_outbound=False)
    for port in (6379, 6380):
        shared = network.create_store_security_group(stack, f"Store{port}", port=port)
        cache = ReplicationGroup(stack, f"Cache{port}", network=network, port=port, security_groups=[shared])
        cache.bind(
            function(stack, network, f"App{port}", security_groups=[group]),
            user=cache.add_iam_user("app", "on ~* +@read"),
        )

    own = stack.resolve(group.security_group_id)
    found = [rule["FromPort"] for rule in rules(template_of(stack), "Ingress") if _source(rule) == own]
    assert sorted(found) == [6379, 6380]


def test_two_stores_with_one_security_group_share_the_rules(stack: cdk.Stack, network: RedisNetwork) -> None:
    shared = network.create_store_security_group(stack, "Shared", port=6379)
    bound = function(stack, network)
    for name in ("one", "two"):
        cache = ReplicationGroup(stack, name, network=network, security_groups=[shared])
        cache.bind(bound, user=cache.add_iam_user("app", "on ~* +@read"), name=name)

    assert duplicates([template_of(stack)]) == []


def test_the_rules_are_known_when_python_has_forgotten_the_app() -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    network = RedisNetwork(stack, "Network")
    cache = ReplicationGroup(stack, "Cache", network=network)
    user = cache.add_iam_user("app", "on ~* +@read")
    group = ec2.SecurityGroup(stack, "Group", vpc=network.vpc, allow_all_outbound=False)
    for name in ("One", "Two"):
        imported = ec2.SecurityGroup.from_security_group_id(stack, name, group.security_group_id)
        cache.bind(function(stack, network, f"App{name}", security_groups=[imported]), user=user)
        del imported
        gc.collect()

    assert duplicates([template_of(stack)]) == []


@pytest.mark.parametrize("another", [False, True], ids=["one stack", "another stack"])
@pytest.mark.parametrize("outbound", [False, True], ids=["closed", "open"])
def test_rules_that_the_app_defined_before_are_not_defined_again(another: bool, outbound: bool) -> None:
    def ports(*, binds: bool) -> list[list[int]]:
        it = Scene(another=another, password=True)
        bound = function(it.stack, it.network, allow_all_outbound=outbound)
        bound.connections.allow_to_default_port(it.network.require_secrets_endpoint())
        bound.connections.allow_to(it.cache, ec2.Port.tcp(6379))
        if binds:
            it.cache.bind(bound, user=it.user)
        return [
            sorted(rule["FromPort"] for rule in rules(template, way))
            for template in it.templates()
            for way in ("Ingress", "Egress")
        ]

    assert ports(binds=True) == ports(binds=False)
