"""Creates stacks in a local cloud, without the CDK."""

from __future__ import annotations

import json
import time
from typing import Any

from cdk_redis_local import LocalCloud
from cdk_redis_local._emulator.refusals.facts import facts

ROLE_OF_FUNCTIONS = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
    },
}
"""A role for functions, without permissions."""


# Required properties without an effect in the local cloud.
_REQUIRED: dict[str, dict[str, Any]] = {
    "AWS::ElastiCache::ParameterGroup": {"Description": "parameters"},
    "AWS::ElastiCache::ReplicationGroup": {"ReplicationGroupDescription": "a group"},
    "AWS::ElastiCache::SubnetGroup": {"Description": "subnets"},
    "AWS::MemoryDB::Cluster": {"NodeType": "db.t4g.small"},
}


def _completed(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource with what AWS requires and no test is about."""
    given = resource.get("Properties", {})
    if given.get("NumCacheClusters") == 1:
        given = {"AutomaticFailoverEnabled": False, **given}
    return {**resource, "Properties": {**_REQUIRED.get(resource["Type"], {}), **given}}


class Cloud:
    """A running local cloud, with helpers for CloudFormation, in one Region. Default: - the Region of the cloud."""

    def __init__(self, local: LocalCloud, region: str | None = None) -> None:
        self.local = local
        self.region = region or local.region
        self.session = local.session()

    @property
    def engine(self) -> dict[str, str]:
        """The ``Engine`` and ``EngineVersion`` properties of this machine's engine."""
        return {"Engine": self.local.engine.name, "EngineVersion": self.local.engine.major_minor}

    @property
    def family(self) -> str:
        """The family of ElastiCache's parameter groups for this machine's engine."""
        families = facts()["families"]["elasticache"][self.local.engine.name]
        return str(families.get(self.local.engine.major_minor, "redis7"))

    def client(self, service: str, **options: Any) -> Any:
        return self.session.client(
            service, endpoint_url=self.local.endpoint_url, **{"region_name": self.region, **options}
        )

    def deploy(
        self, name: str, resources: dict[str, Any], outputs: dict[str, Any] | None = None, *, complete: bool = True
    ) -> dict[str, str]:
        """Create or update a stack; returns its outputs. Raises `StackFailedError` with the reasons of its events.

        With ``complete``, resources of both services get the properties that AWS requires.
        """
        formation = self.client("cloudformation")
        if complete:
            resources = {logical_id: _completed(resource) for logical_id, resource in resources.items()}
        template = {"Resources": resources, "Outputs": {key: {"Value": out} for key, out in (outputs or {}).items()}}
        arguments = {"StackName": name, "TemplateBody": json.dumps(template), "Capabilities": ["CAPABILITY_NAMED_IAM"]}
        known = {stack["StackName"]: stack["StackStatus"] for stack in formation.describe_stacks()["Stacks"]}
        updating = known.get(name, "DELETE_COMPLETE") != "DELETE_COMPLETE"
        (formation.update_stack if updating else formation.create_stack)(**arguments)
        stack = formation.describe_stacks(StackName=name)["Stacks"][0]
        if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise StackFailedError(self.reasons(name))
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def change_set(self, name: str, resources: dict[str, Any]) -> dict[str, Any]:
        """Create a change set for a new stack; returns its description."""
        formation = self.client("cloudformation")
        body = json.dumps({"Resources": resources})
        made = formation.create_change_set(
            StackName=name, ChangeSetName="change", ChangeSetType="CREATE", TemplateBody=body
        )
        return dict(formation.describe_change_set(ChangeSetName=made["Id"]))

    def has_said(self, text: str) -> bool:
        """Whether the cloud printed this text. Waits up to five seconds, because another process writes it."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if any(text in said for said in self.local.said):
                return True
            time.sleep(0.02)
        return False

    def reasons(self, name: str) -> str:
        """The reasons of the stack's events, and of its pre-deployment validation."""
        formation = self.client("cloudformation")
        events = formation.describe_stack_events(StackName=name)["StackEvents"]
        validation = formation.describe_events(StackName=name)["OperationEvents"]
        reasons = [event.get("ResourceStatusReason", "") for event in events]
        return "\n".join([*reasons, *(event.get("ValidationStatusReason", "") for event in validation)])

    def delete(self, name: str) -> None:
        formation = self.client("cloudformation")
        identifier = formation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        formation.delete_stack(StackName=name)
        assert formation.describe_stacks(StackName=identifier)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"


class StackFailedError(Exception):
    """A stack failed; the message has the reasons of its events."""
