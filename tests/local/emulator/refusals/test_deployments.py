"""Templates with mistakes, deployed: each stack fails in AWS's words, and leaves no engine and no user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_redis_local._core.keeper import marked_processes
from cdk_redis_local._emulator.refusals.stores import CLUSTER, GROUP
from tests.local.emulator.refusals.rows import MISTAKES, REDIS_GROUP, Mistake, group, user
from tests.local.support.clouds import Cloud, StackFailedError


def engines(cloud: Cloud) -> list[str]:
    """The running engines of the cloud."""
    programs = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in marked_processes(cloud.local.workspace.path)]
    return [program.decode() for program in programs if b"-server" in program.split(b"\0")[0]]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.rule)
def test_a_template_with_a_mistake_is_refused_in_the_words_of_the_service(cloud: Cloud, mistake: Mistake) -> None:
    wrong = {"Type": mistake.type, "Properties": mistake.properties, "DependsOn": list(mistake.beside)}
    with pytest.raises(StackFailedError) as raised:
        cloud.deploy("refused", {**mistake.beside, "Wrong": wrong}, complete=False)
    assert mistake.words in str(raised.value)
    assert engines(cloud) == []
    stack = cloud.client("cloudformation").describe_stacks(StackName="refused")["Stacks"][0]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    cloud.delete("refused")


def test_nothing_is_left_of_refused_templates(cloud: Cloud) -> None:
    users = cloud.client("elasticache").describe_users()["Users"]
    assert [one["UserId"] for one in users if one["UserId"] != "default"] == []
    assert cloud.client("elasticache").describe_user_groups()["UserGroups"] == []


def test_a_change_set_fails_when_it_is_created_and_describe_events_has_the_reason(cloud: Cloud) -> None:
    formation = cloud.client("cloudformation")
    resources = {"Cache": {"Type": GROUP, "Properties": {"Shards": 3}}}
    change = cloud.change_set("early", resources)
    assert change["Status"] == "FAILED"
    assert "[AWS::EarlyValidation::PropertyValidation]" in change["StatusReason"]
    events = formation.describe_events(ChangeSetName=change["ChangeSetId"])["OperationEvents"]
    assert [(event["LogicalResourceId"], event["ValidationStatusReason"]) for event in events] == [
        ("Cache", "Required property [ReplicationGroupDescription] not found"),
        ("Cache", "Unsupported property [Shards]"),
    ]
    formation.delete_stack(StackName="early")


def test_a_template_whose_policies_no_type_supports_is_refused_at_once(cloud: Cloud) -> None:
    resources = {"Ledger": {"Type": CLUSTER, "DeletionPolicy": "Snapshot", "Properties": {"ClusterName": "ledger"}}}
    with pytest.raises(ClientError, match="AWS::MemoryDB::Cluster does not support deletion policy Snapshot"):
        cloud.deploy("policy", resources)


def test_values_that_are_known_during_the_deployment_are_checked_then(cloud: Cloud) -> None:
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "redis"}}
    port = {"Fn::GetAtt": ["Number", "Value"]}
    cache = {"Type": GROUP, "Properties": group(Port=port)}
    with pytest.raises(StackFailedError, match=r"for resource Cache with message:\n#/Port: expected type: Integer"):
        cloud.deploy("late", {"Number": parameter, "Cache": cache})
    cloud.delete("late")


def test_a_refused_update_leaves_everything_as_it_was(cloud: Cloud) -> None:
    resources: dict[str, Any] = {
        "Default": {"Type": "AWS::ElastiCache::User", "Properties": user(UserId="nobody", UserName="default")},
        "Users": REDIS_GROUP,
    }
    cloud.deploy("updated", resources)
    resources["Default"]["Properties"]["AccessString"] = "on ~* +@nonsense"
    with pytest.raises(StackFailedError, match=r"Access string contains invalid category\(s\)"):
        cloud.deploy("updated", resources)
    stack = cloud.client("cloudformation").describe_stacks(StackName="updated")["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    resources["Default"]["Properties"]["AccessString"] = "on ~* +@write"
    cloud.deploy("updated", resources)
    cloud.delete("updated")
