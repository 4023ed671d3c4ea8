"""A report lists the failed checks, fits CloudFormation, contains no secret, and is readable."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cdk_redis_runtime import CheckResult, Report, SmokeTestFailed, render_report
from cdk_redis_runtime._client.redaction import redact
from cdk_redis_runtime._smoke_test.report import LONGEST_MESSAGE, Outcome


def _report(*verdicts: tuple[str, str, str]) -> Report:
    checks = tuple(CheckResult(name, Outcome(status, reason, "this", "that"), 7) for name, status, reason in verdicts)
    return Report("orders", "memorydb", 1234, checks)


def test_report_as_json() -> None:
    assert json.loads(json.dumps(_report(("tls", "passed", "all well")).as_dict())) == {
        "store": "orders",
        "service": "memorydb",
        "passed": True,
        "duration_ms": 1234,
        "checks": [
            {
                "name": "tls",
                "status": "passed",
                "reason": "all well",
                "expected": "this",
                "observed": "that",
                "duration_ms": 7,
            }
        ],
    }


@pytest.mark.parametrize(
    ("statuses", "passed"),
    [
        (["passed", "passed"], True),
        (["passed", "skipped"], True),
        (["passed", "failed"], False),
        (["skipped", "skipped"], False),
        ([], False),
    ],
)
def test_report_passes_if_a_check_passed_and_none_failed(statuses: list[str], passed: bool) -> None:
    assert _report(*((f"check-{i}", status, "so") for i, status in enumerate(statuses))).passed is passed


def test_failure_message_has_each_failed_check_and_its_reason() -> None:
    report = _report(
        ("tls", "failed", "wrong name"), ("auth", "skipped", "see tls"), ("topology", "failed", "2 shards")
    )
    assert str(SmokeTestFailed(report)) == (
        "Smoke test of memorydb orders: 2 of 3 checks failed. [tls] wrong name. [topology] 2 shards."
    )


def test_failure_message_explains_that_every_check_was_skipped() -> None:
    assert str(SmokeTestFailed(_report(("tls", "skipped", "no")))).endswith("every check was skipped")


@pytest.mark.parametrize("failures", [1, 2, 8])
def test_message_fits_cloudformation_and_has_every_failed_check(failures: int) -> None:
    report = _report(*((f"check-{i}", "failed", "because of this and that " * 60) for i in range(failures)))
    message = str(SmokeTestFailed(report))
    assert len(message) <= LONGEST_MESSAGE
    assert all(f"[check-{i}] because" in message for i in range(failures))


def test_long_reason_is_not_truncated_if_it_fits() -> None:
    long = "because of this and that " * 20
    assert long in str(SmokeTestFailed(_report(("tls", "failed", long), ("auth", "failed", "short"))))


def test_secrets_are_removed() -> None:
    token = (
        "orders/?Action=connect&User=smoke&X-Amz-Security-Token=abc%2Fdef&X-Amz-Expires=900&X-Amz-Signature=0123456789"
    )
    assert redact(f"sent {token} and hunter2", ["hunter2", ""]) == (
        "sent orders/?Action=connect&User=smoke&X-Amz-Security-Token=***&X-Amz-Expires=900&X-Amz-Signature=*** and ***"
    )


def test_table_shows_each_check_with_its_observation_or_reason() -> None:
    from rich.console import Console

    report = _report(
        ("tls", "passed", "all well"), ("auth", "failed", "[red]WRONGPASS[/red]"), ("acl", "skipped", "no")
    )
    console = Console(width=120, record=True, force_terminal=False)
    console.print(render_report(report.as_dict()))
    text = console.export_text()
    assert "memorydb orders: failed in 1,234 ms" in text
    rows = {line.split("│")[1].strip(): line for line in text.splitlines() if line.startswith("│")}
    assert "that" in rows["tls"]
    assert "[red]WRONGPASS[/red]" in rows["auth"]
    assert "skipped" in rows["acl"]


def test_function_imports_neither_the_cdk_nor_unused_modules() -> None:
    program = (
        "import sys, cdk_redis_runtime.smoke_lambda;"
        "print([m for m in ('aws_cdk', 'jsii', 'boto3', 'botocore', 'rich', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    # redis-py imports asyncio itself.
    assert done.stdout.strip() in ("[]", "['asyncio']")
