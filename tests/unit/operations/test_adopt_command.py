"""``cdk-redis adopt`` prints code that describes the store as AWS does.

The answers of AWS are checked against botocore's model of the service, and so are the parameters of the calls.
"""

from __future__ import annotations

import builtins
import importlib
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import botocore.session
import pytest
from aws_cdk.assertions import Template
from botocore.stub import Stubber

from cdk_redis._operations import adopt_command
from cdk_redis._operations.adopt_command import main
from cdk_redis_runtime._command.main import _ADDED
from tests.unit.operations.support.descriptions import DESCRIBED, NEW, OLD, Call, Described, shard


class _Session:
    """A session whose clients give recorded answers."""

    def __init__(self, calls: list[Call], error: str | None = None) -> None:
        self.stubbers: dict[str, Stubber] = {}
        self._clients: dict[str, Any] = {}
        for service, method, parameters, answer in calls:
            if service not in self._clients:
                session = botocore.session.Session()
                session.set_credentials("key", "secret")
                self._clients[service] = session.create_client(service, region_name="eu-west-1")
                self.stubbers[service] = Stubber(self._clients[service])
                self.stubbers[service].activate()
            if error is not None:
                self.stubbers[service].add_client_error(method, error, "No such store.", 404)
            else:
                self.stubbers[service].add_response(method, answer, parameters)

    def create_client(self, service: str, region_name: str | None) -> Any:
        assert region_name in (None, "eu-west-1")
        return self._clients[service]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Any:
    def answer(calls: list[Call], error: str | None = None) -> _Session:
        session = _Session(calls, error)
        monkeypatch.setattr(adopt_command, "_session", lambda: session)
        return session

    return answer


@pytest.mark.parametrize("store", DESCRIBED.values(), ids=DESCRIBED)
def test_the_code_describes_the_store(aws: Any, stack: cdk.Stack, capsys: Any, store: Described) -> None:
    session = aws(store.calls)

    assert main(store.arguments) == 0
    code = capsys.readouterr().out
    exec(code, {"self": stack})

    for stubber in session.stubbers.values():
        stubber.assert_no_pending_responses()
    template = Template.from_stack(stack)
    (resource,) = template.find_resources(store.resource_type).values()
    assert resource["Properties"] == store.properties
    # What CloudFormation takes over must be retained, and refers to nothing that the deployment creates.
    assert resource["DeletionPolicy"] == "Retain"
    assert "DependsOn" not in resource


def test_the_code_reads_as_if_written_by_hand(aws: Any, capsys: Any) -> None:
    aws(OLD.calls)
    main(OLD.arguments)

    assert (
        capsys.readouterr().out
        == """\
import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from cdk_redis import ElastiCacheParameterGroup, ElastiCacheSubnetGroup, ExistingResource, ReplicationGroup

vpc = ec2.Vpc.from_vpc_attributes(
    self,
    "SessionsVpc",
    vpc_id="vpc-0123456789abcdef0",
    availability_zones=["eu-west-1a", "eu-west-1b"],
    isolated_subnet_ids=["subnet-0aaaaaaaaaaaaaaa1", "subnet-0aaaaaaaaaaaaaaa2"],
)
store = ReplicationGroup(
    self,
    "Sessions",
    vpc=vpc,
    replication_group_id="sessions",
    description="sessions",
    engine="redis:6.2",
    node_type="cache.t2.medium",
    replicas=1,
    subnet_group=ElastiCacheSubnetGroup.from_subnet_group_name(self, "SessionsSubnets", "sessions"),
    security_groups=[ec2.SecurityGroup.from_security_group_id(self, "SessionsSecurityGroup1", "sg-0123456789abcdef0")],
    parameter_group=ElastiCacheParameterGroup.from_parameter_group_name(self, "SessionsParameters", "default.redis6.x"),
    unsafe_open_access=True,
    unsafe_plaintext=True,
    unsafe_unencrypted_at_rest=True,
    snapshots=0,
    maintenance_window="wed:03:00-wed:04:00",
    auto_minor_version_upgrade=False,
    removal_policy="RETAIN",
    adopt=ExistingResource(),
)
store.resource.automatic_failover_enabled = False  # leave out to turn it on
store.resource.multi_az_enabled = False  # leave out to turn it on, if the nodes are in several zones
cdk.Tags.of(store).add("team", "shop")
"""
    )


def test_the_code_says_what_a_template_cannot(aws: Any, capsys: Any) -> None:
    group, node, subnets, *rest = OLD.calls
    uneven = [shard(1, 2), shard(2, 3)]
    changed = {"ReplicationGroups": [{**group[3]["ReplicationGroups"][0], "NodeGroups": uneven, "MultiAZ": "enabled"}]}
    one = subnets[3]["CacheSubnetGroups"][0]
    here = {"CacheSubnetGroups": [{**one, "Subnets": one["Subnets"][:1]}]}
    aws([(*group[:3], changed), node, (*subnets[:3], here), *rest])

    assert main(OLD.arguments) == 0
    code = capsys.readouterr().out
    assert "# The shards have 1 to 2 replicas; a template has one number for all." in code
    assert "# All subnets are in eu-west-1b: add one of another zone to `vpc`, for smoke tests." in code


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({"GlobalReplicationGroupInfo": {"GlobalReplicationGroupId": "x"}}, [], "is a member of a global datastore"),
        ({"UserGroupIds": [], "AuthTokenEnabled": True}, [], "the secret with --auth-token-secret"),
    ],
)
def test_a_store_that_cannot_be_adopted(
    aws: Any, capsys: Any, change: dict[str, Any], arguments: list[str], message: str
) -> None:
    service, method, parameters, answer = NEW.calls[0]
    changed = {"ReplicationGroups": [{**answer["ReplicationGroups"][0], **change}]}
    aws([(service, method, parameters, changed), *NEW.calls[1:]])

    assert main([*NEW.arguments, *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_store_with_an_auth_token_has_the_secret_that_is_named(aws: Any, stack: cdk.Stack, capsys: Any) -> None:
    service, method, parameters, answer = NEW.calls[0]
    changed = {"ReplicationGroups": [{**answer["ReplicationGroups"][0], "UserGroupIds": [], "AuthTokenEnabled": True}]}
    aws([(service, method, parameters, changed), *NEW.calls[1:]])

    assert main([*NEW.arguments, "--auth-token-secret", "orders/token"]) == 0
    exec(capsys.readouterr().out, {"self": stack})

    (resource,) = Template.from_stack(stack).find_resources(NEW.resource_type).values()
    assert "orders/token" in str(resource["Properties"]["AuthToken"])
    assert "UserGroupIds" not in resource["Properties"]


def test_a_store_that_does_not_exist_is_an_error(aws: Any, capsys: Any) -> None:
    aws(OLD.calls[:1], error="ReplicationGroupNotFoundFault")

    assert main(OLD.arguments) == 2
    assert capsys.readouterr().err == (
        "cdk-redis adopt: elasticache:describe_replication_groups failed (ReplicationGroupNotFoundFault: No such "
        "store.); --region chooses another Region\n"
    )


def test_botocore_is_not_required_until_the_command_runs(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    real = builtins.__import__

    def without_botocore(name: str, *rest: Any) -> Any:
        if name.startswith("botocore"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_botocore)

    assert main(["--cluster", "ledger"]) == 2
    assert capsys.readouterr().err == 'cdk-redis adopt: it needs botocore: pip install "cdk-redis[cli]"\n'


def test_the_entry_points_are_the_commands_that_cdk_redis_adds(repository: Path) -> None:
    text = (repository / "pyproject.toml").read_text().partition('"cdk_redis.commands"]')[2].partition("\n[")[0]
    entry_points = dict(re.findall(r'^(\w+) = "([\w.]+):main"$', text, re.MULTILINE))

    assert tuple(sorted(entry_points)) == _ADDED
    for module in entry_points.values():
        assert callable(importlib.import_module(module).main)
