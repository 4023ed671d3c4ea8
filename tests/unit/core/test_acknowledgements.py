"""`acknowledge` writes accepted findings where cdk-nag 2, cdk-nag 3 and checkov read them.

tests/compliance/test_scanners.py runs the scanners themselves.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from cdk_redis import ConfigurationError, acknowledge

NO_RESOURCE = "these actions have no resource"
INLINE = "it is deleted with its role"


@pytest.fixture
def role(stack: cdk.Stack) -> iam.CfnRole:
    return iam.CfnRole(stack, "Role", assume_role_policy_document={})


def written(resource: cdk.CfnResource) -> dict[str, Any]:
    """The metadata of the template, and of the construct."""
    of_construct = {
        key: value for one in resource.node.metadata if "rules" in one.type for key, value in one.data.items()
    }
    return {scanner: resource.get_metadata(scanner) for scanner in ("cdk_nag", "checkov")} | {"cdk": of_construct}


def test_each_scanner_gets_the_rule_in_its_own_form(role: iam.CfnRole) -> None:
    acknowledge(role, {"AwsSolutions-IAM5[Resource::*]": NO_RESOURCE, "CKV_AWS_111": NO_RESOURCE})

    assert written(role) == {
        "cdk_nag": {
            "rules_to_suppress": [{"id": "AwsSolutions-IAM5", "reason": NO_RESOURCE, "applies_to": ["Resource::*"]}]
        },
        "checkov": {"skip": [{"id": "CKV_AWS_111", "comment": NO_RESOURCE}]},
        "cdk": {"AwsSolutions::AwsSolutions-IAM5[Resource::*]": NO_RESOURCE},
    }


def test_a_rule_without_a_pack_is_accepted_in_all_packs_that_have_it(role: iam.CfnRole) -> None:
    acknowledge(role, {"IAMNoInlinePolicy": INLINE})

    found = written(role)
    packs = ["HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321"]
    assert found["cdk"] == {f"{pack}::{pack}-IAMNoInlinePolicy": INLINE for pack in packs}
    assert [one["id"] for one in found["cdk_nag"]["rules_to_suppress"]] == [
        f"{pack}-IAMNoInlinePolicy" for pack in packs
    ]
    assert found["checkov"] is None


def test_a_second_call_adds_to_the_first_and_to_what_others_wrote(role: iam.CfnRole) -> None:
    role.add_metadata("checkov", {"skip": [{"id": "CKV_AWS_1", "comment": "of a user"}], "other": True})
    acknowledge(role, {"CKV_AWS_111": NO_RESOURCE, "AwsSolutions-IAM4": NO_RESOURCE})
    acknowledge(role, {"AwsSolutions-IAM5": NO_RESOURCE})

    found = written(role)
    assert [one["id"] for one in found["checkov"]["skip"]] == ["CKV_AWS_1", "CKV_AWS_111"]
    assert found["checkov"]["other"] is True
    assert [one["id"] for one in found["cdk_nag"]["rules_to_suppress"]] == ["AwsSolutions-IAM4", "AwsSolutions-IAM5"]
    assert len(found["cdk"]) == 2


def test_of_another_construct_all_resources_count(stack: cdk.Stack) -> None:
    topic = sns.Topic(stack, "Topic")
    acknowledge(topic, {"SNSEncryptedKMS": "MemoryDB cannot publish to an encrypted topic"})

    resource = topic.node.default_child
    assert isinstance(resource, cdk.CfnResource)
    assert resource.get_metadata("cdk_nag")


def test_all_problems_are_in_one_error(stack: cdk.Stack) -> None:
    with pytest.raises(ConfigurationError) as caught:
        acknowledge(stack, {"AEC6 ": "too short", "CKV_AWS_111": "Grüße \N{EURO SIGN} für alle"})

    assert str(caught.value) == (
        "Stack: 4 problems"
        "\n  - construct: got 'Stack', but only resources have findings; give one, or what contains it"
        "\n  - rules: got 'AEC6 ', but a rule is written as its scanner reports it; such as \"AwsSolutions-AEC6\""
        "\n  - rules: got 'too short', but a reason has 10 characters or more, all in Latin-1; "
        "say why the resource is right without AEC6 "
        "\n  - rules: got 'Grüße € für alle', but a reason has 10 characters or more, all in Latin-1; "
        "say why the resource is right without CKV_AWS_111"
    )
