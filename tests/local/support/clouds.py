"""Creates stacks in a local cloud, without the CDK."""

from __future__ import annotations

import json
import time
from typing import Any

from cdk_redis_local import LocalCloud

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

    def client(self, service: str, **options: Any) -> Any:
        return self.session.client(
            service, endpoint_url=self.local.endpoint_url, **{"region_name": self.region, **options}
        )

    def deploy(self, name: str, resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> dict[str, str]:
        """Create or update a stack; returns its outputs. Raises `StackFailedError` with the reasons of its events."""
        formation = self.client("cloudformation")
        template = {"Resources": resources, "Outputs": {key: {"Value": out} for key, out in (outputs or {}).items()}}
        arguments = {"StackName": name, "TemplateBody": json.dumps(template), "Capabilities": ["CAPABILITY_NAMED_IAM"]}
        known = {stack["StackName"]: stack["StackStatus"] for stack in formation.describe_stacks()["Stacks"]}
        updating = known.get(name, "DELETE_COMPLETE") != "DELETE_COMPLETE"
        (formation.update_stack if updating else formation.create_stack)(**arguments)
        stack = formation.describe_stacks(StackName=name)["Stacks"][0]
        if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise StackFailedError(self.reasons(name))
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def has_said(self, text: str) -> bool:
        """Whether the cloud printed this text. Waits up to five seconds, because another process writes it."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if any(text in said for said in self.local.said):
                return True
            time.sleep(0.02)
        return False

    def reasons(self, name: str) -> str:
        events = self.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)

    def delete(self, name: str) -> None:
        formation = self.client("cloudformation")
        identifier = formation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        formation.delete_stack(StackName=name)
        assert formation.describe_stacks(StackName=identifier)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"


class StackFailedError(Exception):
    """A stack failed; the message has the reasons of its events."""
