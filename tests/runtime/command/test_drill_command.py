"""``cdk-redis drill`` and ``cdk-redis report`` with AWS's answers as a script; tests/e2e/ has real calls."""

from __future__ import annotations

import builtins
import json
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoRegionError

from cdk_redis_runtime._command import aws as aws_module
from cdk_redis_runtime._command import drill as drill_module
from cdk_redis_runtime._command.drill import progress_text
from cdk_redis_runtime._command.main import main
from tests.runtime.support.drill_reports import HEALTHY, HURT, report_of

PREFIX = "arn:aws:states:eu-west-1:111122223333"
MACHINE, EXECUTION = f"{PREFIX}:stateMachine:Drill", f"{PREFIX}:execution:Drill:1a2b"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:OrdersDrill"
STARTED = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
REPORT = report_of(HEALTHY, HURT)
LOST = {**REPORT, "acknowledged_writes_lost": 3}
SMOKE = {"store": "orders", "service": "elasticache", "passed": True, "duration_ms": 5, "checks": []}


def refusal(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Action")


def definition(action: str = "elasticache:testFailover") -> str:
    states = {
        "Watch": {"Type": "Task", "Resource": FUNCTION},
        "Wait": {"Type": "Wait", "Seconds": 30},
        "Fail": {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{action}"},
    }
    return json.dumps({"States": {"Drill": {"Branches": [{"States": states}]}}})


def progress(second: int, silent: float = 0.0, execution: str = EXECUTION) -> dict[str, Any]:
    content = {"second": second, "writes": [20, 0 if silent else 20], "reads": [20, 0 if silent else 19]}
    more = {"silent": [0.0, silent], "execution": execution, "slots": ["0-8191", "8192-16383"]}
    return {"cdk_redis_drill_progress": {**content, **more}}


class FakeAws:
    """Answers by method: the next of a list until one is left, or an error to raise."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.regions: set[str | None] = set()
        self.answers: dict[str, list[Any]] = {
            "describe_state_machine": [{"definition": definition()}],
            "start_execution": [{"executionArn": EXECUTION}],
            "describe_execution": [
                *[{"status": "RUNNING", "startDate": STARTED}] * 3,
                {"status": "SUCCEEDED", "startDate": STARTED, "output": json.dumps(REPORT)},
            ],
            "get_function_configuration": [self.function("OrdersDrill", "drill")],
            "filter_log_events": [{"events": []}],
        }

    @staticmethod
    def function(name: str, kind: str) -> dict[str, Any]:
        handler = f"cdk_redis_runtime.{kind}_lambda.handler"
        return {"FunctionName": name, "Handler": handler, "LoggingConfig": {"LogGroup": f"/logs/{name}"}}

    @staticmethod
    def events(*lines: dict[str, Any], stream: str = "2026/11/22/OrdersDrill[1]ab") -> dict[str, Any]:
        logged = int(time.time() * 1000)
        return {
            "events": [
                {
                    "timestamp": logged - 1000 * (len(lines) - number),
                    "message": json.dumps(line),
                    "logStreamName": stream,
                }
                for number, line in enumerate(lines)
            ]
        }

    def resources(self, kind: str, *ids: str) -> None:
        found = [{"ResourceType": kind, "PhysicalResourceId": one} for one in ids]
        other = {"ResourceType": "AWS::S3::Bucket", "PhysicalResourceId": "a-bucket"}
        self.answers["list_stack_resources"] = [{"StackResourceSummaries": [other, *found]}]

    def client(self, aws: Any, _service: str) -> Any:
        self.regions.add(aws._region)
        return SimpleNamespace(**{name: self._method(name) for name in self.answers})

    def _method(self, name: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            self.calls.append((name, parameters))
            answers = self.answers[name]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def called(self, name: str) -> list[dict[str, Any]]:
        return [parameters for called, parameters in self.calls if called == name]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    fake = FakeAws()
    monkeypatch.setattr(aws_module.Aws, "_client", lambda self, service: fake.client(self, service))
    monkeypatch.setattr(drill_module, "_POLL_SECONDS", 0.0)
    monkeypatch.setenv("COLUMNS", "100")
    return fake


def test_the_command_starts_the_drill_follows_it_and_prints_its_report(
    aws: FakeAws, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    aws.answers["filter_log_events"] = [
        aws.events(progress(1, execution="another"), progress(1), progress(2)),
        # CloudWatch returns the last line again, and two pages.
        {**aws.events(progress(2), progress(3, 1.4)), "nextToken": "more"},
        aws.events(progress(4)),
        aws.events(progress(4)),
    ]
    picture = tmp_path / "drill.svg"
    assert main(["drill", MACHINE, "--picture", str(picture)]) == 0
    shown = capsys.readouterr()
    assert shown.err.splitlines() == [
        f"cdk-redis: started {EXECUTION}",
        "cdk-redis: the shard fails over 30 s after the start",
        "   1 s  shard 1: 20 writes/s 20 reads/s  |  shard 2: 20 writes/s 19 reads/s",
        "   2 s  shard 1: 20 writes/s 20 reads/s  |  shard 2: 20 writes/s 19 reads/s",
        "   3 s  shard 1: 20 writes/s 20 reads/s  |  shard 2: 0 writes/s 0 reads/s, NO ANSWER for 1.4 s from slots "
        "8192-16383",
        "   4 s  shard 1: 20 writes/s 20 reads/s  |  shard 2: 20 writes/s 19 reads/s",
    ]
    assert "Failover drill of elasticache orders: passed in 30 s" in shown.out
    assert "│     2 │ 5461-10922" in shown.out
    assert picture.read_text().startswith("<svg ")
    assert aws.regions == {"eu-west-1"}
    first = aws.called("filter_log_events")[0]
    assert (first["logGroupName"], first["filterPattern"]) == ("/logs/OrdersDrill", '"cdk_redis_drill_progress"')


def test_on_a_terminal_the_progress_is_one_line_that_is_rewritten(
    aws: FakeAws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.answers["filter_log_events"] = [aws.events(*[progress(second, 0.6) for second in range(1, 4)])]
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["drill", MACHINE]) == 0
    _, first, *others = capsys.readouterr().err.split("\r\033[K")
    # A line that is as wide as the terminal would move on to the next one.
    assert [len(line) for line in (first, *others)] == [49, 49, 50]
    assert others[-1].startswith("   3 s  shard 1: 20 writes/s 20 reads/s  |  shard")
    assert others[-1].endswith("\n")


@pytest.mark.parametrize(("report", "code"), [(REPORT, 0), (LOST, 1)])
def test_an_execution_is_shown_again_without_starting_a_drill(
    report: dict[str, Any], code: int, aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.answers["describe_execution"] = [{"status": "SUCCEEDED", "startDate": STARTED, "output": json.dumps(report)}]
    assert main(["drill", EXECUTION, "--json"]) == code
    assert json.loads(capsys.readouterr().out) == report
    assert not aws.called("start_execution")
    assert aws.called("describe_state_machine") == [{"stateMachineArn": MACHINE}]


@pytest.mark.parametrize("method", ["filter_log_events", "get_function_configuration"])
def test_without_access_to_the_log_the_report_follows_all_the_same(
    method: str, aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.answers[method] = [refusal("AccessDeniedException", "not yours")]
    assert main(["drill", MACHINE, "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == REPORT
    assert shown.err.count("no progress is shown: ") == 1
    assert "AccessDeniedException: not yours" in shown.err
    assert len(aws.called(method)) == 1


def test_after_ctrl_c_the_command_says_how_to_see_the_drill_again(
    aws: FakeAws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(drill_module.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        main(["drill", MACHINE])
    assert f"the drill goes on in AWS; to see it: cdk-redis drill {EXECUTION}" in capsys.readouterr().err


ALARM = 'The drill did not start, because these alarms are on: ["Errors"]'
FAILED = {"status": "FAILED", "startDate": STARTED, "error": "AlarmOn", "cause": ALARM}
OTHER = [{"definition": json.dumps({"States": {}})}]


@pytest.mark.parametrize(
    ("arguments", "answers", "message"),
    [
        ([], {}, "give either the name of a stack or an ARN"),
        (["Orders", "--stack", "Orders"], {}, "give either the name of a stack or an ARN, not two of them"),
        (["arn:aws:s3:::bucket"], {}, "allowed are ARNs of a stack, a state machine, an execution or a function"),
        ([FUNCTION], {}, "this is the ARN of a function, which writes and reads but fails nothing over"),
        ([MACHINE, "--picture", "/no/such/folder/drill.svg"], {}, "--picture: there is no folder /no/such/folder"),
        ([MACHINE], {"describe_state_machine": OTHER}, "is not the state machine of a failover drill"),
        ([MACHINE], {"describe_execution": [FAILED]}, f"the drill ended without a report: FAILED, AlarmOn: {ALARM}"),
        ([MACHINE], {"start_execution": [refusal("AccessDeniedException")]}, "could not be started (AccessDenied"),
        ([MACHINE], {"describe_state_machine": [NoRegionError()]}, "--region is needed, or AWS_REGION"),
        (
            [MACHINE],
            {"describe_state_machine": [EndpointConnectionError(endpoint_url="https://aws.example")]},
            "could not be read (EndpointConnectionError: ",
        ),
        (
            ["--stack", "Orders"],
            {"list_stack_resources": [refusal("ValidationError", "Stack with id Orders does not exist")]},
            "the stack Orders could not be read (ValidationError: Stack with id Orders does not exist)",
        ),
    ],
)
def test_a_drill_that_cannot_run_is_refused_with_its_reason(
    arguments: list[str],
    answers: dict[str, list[Any]],
    message: str,
    aws: FakeAws,
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws.answers.update(answers)
    assert main(["drill", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err
    if "start_execution" not in answers and answers.get("describe_execution") is None:
        assert not aws.called("start_execution")


def test_a_stack_names_its_only_drill(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.resources("AWS::StepFunctions::StateMachine", f"{PREFIX}:stateMachine:Other", MACHINE)
    aws.answers["describe_state_machine"] = [OTHER[0], {"definition": definition("memorydb:failoverShard")}]
    assert main(["drill", "Orders", "--json", "--region", "eu-west-1"]) == 0
    assert aws.called("start_execution") == [{"stateMachineArn": MACHINE}]

    aws.answers["describe_state_machine"] = [{"definition": definition()}]
    assert main(["drill", "Orders"]) == 2
    assert "the stack Orders has 2 drills, and one is needed; give its ARN: " in capsys.readouterr().err


def test_botocore_is_needed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def without_botocore(name: str, *arguments: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "botocore":
            raise ImportError(name)
        return imported(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_botocore)
    assert main(["report", MACHINE]) == 2
    assert "cannot be read without botocore: pip install 'cdk-redis-runtime[cli]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("progressed", "text"),
    [
        ({"writes": [20], "reads": [19], "silent": [0.0]}, "   7 s  shard 1: 20 writes/s 19 reads/s"),
        ({"writes": [20] * 9, "reads": [20] * 9, "silent": [0.1] * 9}, "   7 s  9 shards: 180 writes/s 180 reads/s"),
        (
            {"writes": [20, 0, 20, 20], "reads": [20] * 4, "silent": [0.0, 2.04, 0.0, 0.0]},
            "   7 s  4 shards: 60 writes/s 80 reads/s  |  shard 2: 0 writes/s 20 reads/s, NO ANSWER for 2.0 s",
        ),
    ],
)
def test_progress_names_the_shards_that_do_not_answer(progressed: dict[str, Any], text: str) -> None:
    assert progress_text({"second": 7, **progressed}, []) == text
    assert progress_text({"second": 7, "writes": [0] * 5, "reads": [0] * 5, "silent": [1.0] * 5}, []).endswith(
        "  |  5 shards do not answer"
    )


def _entry(passed: bool) -> dict[str, Any]:
    return {"cdk_redis_smoke_test": {**SMOKE, "passed": passed}}


@pytest.mark.parametrize(
    ("logged", "code", "hint"),
    [
        ([_entry(True)], 0, ""),
        ([_entry(True), _entry(False)], 1, ""),
        # The rollback of a failed deployment runs the test once more, with the old store.
        ([_entry(False), _entry(True)], 0, "--last 2 shows it"),
        ([_entry(False), _entry(True), {"cdk_redis_smoke_test": "no report"}, {"another": 1}], 0, "--last 2 shows it"),
    ],
)
def test_report_prints_the_last_run_of_a_smoke_test(
    logged: list[dict[str, Any]], code: int, hint: str, aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.resources("AWS::Lambda::Function", "Other", "OrdersSmoke")
    aws.answers["get_function_configuration"] = [
        {"FunctionName": "Other", "Handler": "index.handler"},
        aws.function("OrdersSmoke", "smoke"),
    ]
    aws.answers["filter_log_events"] = [aws.events(*logged, stream="2026/11/22/[$LATEST]ab")]
    assert main(["report", "Orders"]) == code
    shown = capsys.readouterr()
    assert "smoke test OrdersSmoke, 20" in shown.out
    assert ("elasticache orders: failed" in shown.out) is bool(code)
    assert (hint in shown.err) if hint else (shown.err == "")


def test_report_tells_functions_that_share_a_log_group_apart(aws: FakeAws) -> None:
    drilled = {"cdk_redis_failover_drill": LOST}
    mine = aws.events({"cdk_redis_failover_drill": REPORT})["events"]
    aws.answers["filter_log_events"] = [
        {"events": [*mine, *aws.events(drilled, stream="2026/11/22/Other[1]x")["events"]]}
    ]
    assert main(["report", FUNCTION]) == 0


def test_report_prints_runs_as_json(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers["filter_log_events"] = [
        aws.events(*[{"cdk_redis_failover_drill": report} for report in (REPORT, LOST, REPORT)])
    ]
    assert main(["report", MACHINE, "--last", "2", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert [(entry["function"], entry["kind"], entry["passed"]) for entry in entries] == [
        ("OrdersDrill", "failover drill", False),
        ("OrdersDrill", "failover drill", True),
    ]
    assert [entry["report"] for entry in entries] == [LOST, REPORT]


def test_report_of_a_stack_that_was_rolled_back_is_in_its_events(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.resources("AWS::Lambda::Function", "OrdersSmoke")
    aws.answers["get_function_configuration"] = [refusal("ResourceNotFoundException")]
    message = "Smoke test of elasticache orders: 1 of 9 checks failed. [tls] nothing answered."
    aws.answers["describe_stack_events"] = [
        {"StackEvents": [{"Timestamp": STARTED}], "NextToken": "more"},
        {"StackEvents": [{"Timestamp": STARTED, "ResourceStatusReason": f"Received FAILED. {message}"}]},
    ]
    assert main(["report", "Orders"]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert message in shown
    assert "2026-11-22T10:00:00Z" in shown


@pytest.mark.parametrize(
    ("target", "answers", "message"),
    [
        (
            FUNCTION,
            {"get_function_configuration": [{"FunctionName": "x", "Handler": "index.handler"}]},
            "is not the fun",
        ),
        (
            FUNCTION,
            {"get_function_configuration": [refusal("ResourceNotFoundException")]},
            "could not be read (Resource",
        ),
        (FUNCTION, {}, "there is no report: nothing has run, or the logs have expired"),
        (FUNCTION, {"filter_log_events": [refusal("AccessDeniedException")]}, "could not be read (AccessDenied"),
        (FUNCTION, {"filter_log_events": [refusal("ResourceNotFoundException")]}, "there is no report"),
    ],
)
def test_a_report_that_cannot_be_read_is_refused_with_its_reason(
    target: str, answers: dict[str, list[Any]], message: str, aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.answers.update(answers)
    assert main(["report", target]) == 2
    assert message in capsys.readouterr().err
