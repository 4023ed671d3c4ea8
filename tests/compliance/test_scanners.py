"""cdk-nag and checkov find nothing in the app and the examples but what is explained here."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.packaging.support.environments import install, run, virtual_environment

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


class Finding(NamedTuple):
    """What a scanner reports: its rule, and the app with the construct's path or the resource's logical id."""

    rule: str
    resource: str


_FUNCTIONS_OF_A_DEPLOYMENT = r"(SmokeTest|ElastiCache|MemoryDb)Function|AWSCDKTrigger|CustomVpcRestrictDefaultSG"
_NETWORK_INTERFACES = (
    "a function in a VPC creates network interfaces, and these EC2 actions have no resource: "
    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html"
)
_SECONDARY = "a secondary of a global datastore has it from the primary, and AWS rejects the property"
_OWN_FUNCTION = "the role and the settings of the example's own function are the CDK's defaults"
_NO_SECRET = "no variable of a binding is secret"
_INSIGHTS = "Container Insights cost money by the metric"
# Findings that are accepted: rule, a pattern that the resource contains, and the reason.
EXPLAINED: list[tuple[str, str, str]] = [
    # cdk-nag
    ("AwsSolutions-AEC3", "global.*:Secondary/", _SECONDARY),
    ("AwsSolutions-AEC4", ":(Complete|RedisCluster)/", "as its counterpart in Terraform, the example has one node"),
    ("AwsSolutions-AEC5", ":", "a port is no secret: security groups and users protect the store"),
    ("AwsSolutions-AEC6", ":", "the store has users, each with a password or IAM, in place of one AUTH token"),
    (
        "AwsSolutions-EC28",
        "/Host/Instance/",
        "metrics each minute cost 2 USD a month, and nobody waits for the instance",
    ),
    ("AwsSolutions-EC29", "/Host/Instance/", "it holds no data, and a change or a new image replaces it"),
    ("AwsSolutions-IAM5[Resource::*]", "/Host/Role/", "the agent's actions for sessions have no resource"),
    ("AwsSolutions-IAM5", "/OnCall/", "a person's own sessions: their ids begin with that of the person"),
    (
        "AwsSolutions-AEC4",
        "rate_limiter-app:",
        "lost counters allow some calls more; a second node is not worth its price",
    ),
    ("AwsSolutions-ECS2", "/Task/", _NO_SECRET),
    ("AwsSolutions-ECS4", "/Services/", _INSIGHTS),
    ("AwsSolutions-IAM4", r"-app:\w+/\w+/ServiceRole/", _OWN_FUNCTION),
    ("AwsSolutions-IAM5[Resource::*]", "/Task/ExecutionRole/", "ecr:GetAuthorizationToken has no resource"),
    ("AwsSolutions-IAM5[Resource::*]", "/Role/", _NETWORK_INTERFACES),
    ("AwsSolutions-SMG4", "/DefaultUser/", "the user is disabled: nobody signs in with the password"),
    ("AwsSolutions-SMG4", "/AuthToken/", "`generation` changes an AUTH token; the service needs two deployments"),
    ("AwsSolutions-SMG4", "/Users/", "a rotation needs a function, which `add_rotation` takes"),
    (
        "AwsSolutions-VPC7",
        "(FanOut|JobQueue)/Vpc/",
        "the VPC stands for one that exists; that of a RedisNetwork has a flow log",
    ),
    # checkov
    ("CKV_AWS_65", "Services", _INSIGHTS),
    ("CKV_AWS_165", "cache_aside-app:", "point-in-time recovery of the example's table costs money by the gigabyte"),
    (
        "CKV_AWS_26",
        r"memorydb_\w+:AWS::SNS::Topic",
        "AWS documents no encrypted topics for MemoryDB",
    ),
    *((rule, "global.*:AWS::ElastiCache", _SECONDARY) for rule in ("CKV_AWS_29", "CKV_AWS_30", "CKV_AWS_31")),
    ("CKV_AWS_111", "Role", _NETWORK_INTERFACES),
    ("CKV_AWS_115", _FUNCTIONS_OF_A_DEPLOYMENT, "a deployment runs it once at a time"),
    ("CKV_AWS_116", _FUNCTIONS_OF_A_DEPLOYMENT, "it is invoked synchronously, and its errors fail the deployment"),
    ("CKV_AWS_117", "AWSCDKTrigger|CustomVpcRestrictDefaultSG", "a function of the CDK, which calls AWS's APIs only"),
    ("CKV_AWS_149", ":", "a key of one's own costs money: `secret_kms_key` takes one"),
    ("CKV_AWS_158", ":", "a key of one's own costs money: `log_kms_key` and `flow_log_kms_key` take one"),
    ("CKV_AWS_173", r"(SmokeTest|ElastiCache|MemoryDb)Function", "no variable of the smoke test is secret"),
    *((rule, r"-app:AWS::Lambda::", _OWN_FUNCTION) for rule in ("CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_173")),
]


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> set[Finding]:
    """All findings in the app, in both environments, and in the examples."""
    folder = tmp_path_factory.mktemp("scanners")
    python = virtual_environment(folder)
    install(python, "--require-hashes", "-r", repository / "requirements-scan.txt")
    out = folder / "out"
    script = repository / "tests" / "compliance" / "support" / "scan.py"
    run(python, script, repository, out, cwd=folder)
    command = ["-d", out, "--framework", "cloudformation", "-o", "json", "--quiet", "--compact", "--skip-download"]
    checkov = subprocess.run(
        [python.with_name("checkov"), *map(str, command)],
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checkov.returncode in (0, 1), checkov.stderr
    return {*_of_cdk_nag(out), *_of_checkov(json.loads(checkov.stdout))}


def _of_cdk_nag(out: Path) -> set[Finding]:
    reports = {path.parent.name: json.loads(path.read_text()) for path in out.glob("*/validation-report.json")}
    return {
        Finding(violation["ruleName"], f"{app}:{construct['constructPath']}")
        for app, report in reports.items()
        for plugin in report["pluginReports"]
        if plugin["pluginName"] == "AwsSolutions"
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }


def _of_checkov(report: dict[str, dict[str, list[dict[str, str]]]]) -> set[Finding]:
    return {
        Finding(found["check_id"], f"{found['file_path'].split('/')[1]}:{found['resource']}")
        for found in report["results"]["failed_checks"]
    }


def _explains(row: tuple[str, str, str], finding: Finding) -> bool:
    rule, pattern, _reason = row
    is_rule = finding.rule == rule or finding.rule.startswith(f"{rule}[")
    return is_rule and re.search(pattern, finding.resource) is not None


def test_every_finding_is_explained(findings: set[Finding]) -> None:
    unexplained = sorted(found for found in findings if not any(_explains(row, found) for row in EXPLAINED))
    assert unexplained == []


def test_every_explanation_is_needed(findings: set[Finding]) -> None:
    unused = [row for row in EXPLAINED if not any(_explains(row, found) for found in findings)]
    assert unused == []


def test_both_scanners_have_seen_every_app(findings: set[Finding], repository: Path) -> None:
    examples = [*(repository / "examples").glob("*.py"), *(repository / "examples").glob("*/app.py")]
    assert {rule.startswith("CKV") for rule, _ in findings} == {True, False}
    # An import and a MemoryDB cluster without a smoke test have no finding in one of the two.
    assert len({resource.split(":")[0] for _, resource in findings}) >= len(examples) + 2 - 1
