"""The applications of examples/ on the local cloud, used as their users would use them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk_redis_local import task_environment
from tests.e2e.support.deploys import Deploys
from tests.support.concurrency import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(300)]

STACKS = ("CacheAside", "FanOut", "JobQueue", "Leaderboard", "RateLimiter", "SessionStore")
# In support/apps/applications.py.
SESSION_SECONDS = 5
# A program starts in a second, or in many if the machine is busy.
START_SECONDS = 40
EXAMPLES = Path(__file__).parents[2] / "examples"


class Applications:
    """The deployed stacks, by the names of their outputs."""

    def __init__(self, deploys: Deploys, outputs: dict[str, dict[str, str]]) -> None:
        self.deploys = deploys
        self.outputs = outputs

    def call(self, stack: str, **event: Any) -> Any:
        """Invoke the stack's function."""
        return self.deploys.invoke(self.outputs[stack]["FunctionName"], **event)


@pytest.fixture(scope="module")
def applications(deploys: Deploys, tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[Applications]:
    """All applications, deployed once."""
    assembly = deploys.synthesize("applications", tmp_path_factory.mktemp("applications") / "cdk.out", engine=engine)
    deploys.run("deploy", "--all", "--app", str(assembly), "--require-approval", "never", "--concurrency", "3")
    yield Applications(deploys, {stack: deploys.outputs(stack) for stack in STACKS})
    deploys.run("destroy", "--all", "--app", str(assembly), "--force", "--concurrency", "3")


@pytest.fixture
def program(
    applications: Applications, tmp_path: Path
) -> Iterator[Callable[..., tuple[subprocess.Popen[bytes], Path]]]:
    """Starts the program of an ECS service with the environment that its deployed task definition declares."""
    started: list[subprocess.Popen[bytes]] = []

    def start(stack: str, script: str, **more: str) -> tuple[subprocess.Popen[bytes], Path]:
        made, cloud = applications.outputs[stack], applications.deploys.cloud
        environment = task_environment(cloud, cluster=made["ClusterName"], service=made["ServiceName"])
        log = tmp_path / f"{stack}-{len(started)}.log"
        with log.open("wb") as output:
            process = cloud.workspace.spawn(
                [sys.executable, EXAMPLES / script],
                environment={**environment, **more},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        started.append(process)
        return process, log

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_products_come_from_the_cache_until_they_change(applications: Applications) -> None:
    table = applications.deploys.session.resource(
        "dynamodb", endpoint_url=applications.deploys.cloud.endpoint_url
    ).Table(applications.outputs["CacheAside"]["TableName"])
    table.put_item(Item={"id": "tea", "price": 3})
    assert applications.call("CacheAside", id="tea") == {"id": "tea", "price": 3}

    # Behind the back of the application: it still has the old price, so it did not read the table.
    table.put_item(Item={"id": "tea", "price": 4})
    assert applications.call("CacheAside", id="tea") == {"id": "tea", "price": 3}

    assert applications.call("CacheAside", id="tea", price=5) == {"id": "tea", "price": 5}
    assert table.get_item(Key={"id": "tea"})["Item"]["price"] == 5
    assert applications.call("CacheAside", id="nothing") is None


def test_sessions_live_as_long_as_they_are_used(applications: Applications) -> None:
    session = applications.call("SessionStore", sign_in="ada")["session"]
    began, number = time.monotonic(), 0
    while time.monotonic() < began + SESSION_SECONDS + 0.5:
        number += 1
        assert len(applications.call("SessionStore", session=session, add="tea")["cart"]) == number
        time.sleep(0.5)

    time.sleep(SESSION_SECONDS + 0.5)
    assert applications.call("SessionStore", session=session) == {"error": "sign in again"}

    other = applications.call("SessionStore", sign_in="ada")["session"]
    assert applications.call("SessionStore", session=other, sign_out=True) == {"user": "ada"}
    assert applications.call("SessionStore", session=other) == {"error": "sign in again"}


def test_the_leaderboard_ranks_players_by_their_best_scores(applications: Applications) -> None:
    for player, score in {"ada": 120, "bob": 150, "cyd": 90}.items():
        applications.call("Leaderboard", player=player, submit=score)

    assert applications.call("Leaderboard", player="cyd", submit=130) == {"rank": 2}
    assert applications.call("Leaderboard", player="bob", submit=10) == {"rank": 1}
    assert applications.call("Leaderboard", top=2) == {"top": [["bob", 150.0], ["cyd", 130.0]]}
    assert applications.call("Leaderboard", player="ada") == {"rank": 3, "around": [["cyd", 130.0], ["ada", 120.0]]}


def test_a_caller_is_limited_and_others_are_not(applications: Applications) -> None:
    codes = [applications.call("RateLimiter", caller="ada")["statusCode"] for _ in range(7)]

    assert codes == [200] * 5 + [429] * 2
    assert applications.call("RateLimiter", caller="bob") == {"statusCode": 200, "body": "hello bob"}


def test_every_server_gets_a_price_and_a_new_one_what_was_before(
    applications: Applications, program: Callable[..., tuple[subprocess.Popen[bytes], Path]]
) -> None:
    def shows(log: Path, prices: dict[str, int]) -> bool:
        lines = log.read_text().splitlines()
        return bool(lines) and lines[-1] == json.dumps(prices)

    logs = [program("FanOut", "fan_out/service/server.py")[1] for _ in range(2)]
    wait_until(lambda: all(shows(log, {}) for log in logs), START_SECONDS)
    assert applications.call("FanOut", product="tea", price=3) == {"servers": 2}
    wait_until(lambda: all(shows(log, {"tea": 3}) for log in logs))

    _, late = program("FanOut", "fan_out/service/server.py")
    wait_until(lambda: shows(late, {"tea": 3}), START_SECONDS)
    assert applications.call("FanOut", product="tea", price=4) == {"servers": 3}
    wait_until(lambda: all(shows(log, {"tea": 4}) for log in [*logs, late]))


def test_a_worker_that_dies_loses_no_job(
    applications: Applications, program: Callable[..., tuple[subprocess.Popen[bytes], Path]]
) -> None:
    jobs: dict[str, int] = {}

    def submit(words: int) -> None:
        jobs[applications.call("JobQueue", text="word " * words)["job"]] = words

    def is_idle() -> bool:
        return applications.call("JobQueue") == {"jobs": 0, "taken": 0}

    def results() -> dict[str, int]:
        found = {job: applications.call("JobQueue", job=job)["result"] for job in jobs}
        return {job: int(result) for job, result in found.items() if result is not None}

    submit(1)
    first, _ = program("JobQueue", "job_queue/service/worker.py", CLAIM_SECONDS="1")
    wait_until(is_idle, START_SECONDS)
    # It waits for a job, is stopped, and gets the job when it can no longer do it.
    for words in range(2, 10):
        first.send_signal(signal.SIGSTOP)
        submit(words)
        if applications.call("JobQueue")["taken"]:
            break
        # It was stopped before it waited.
        first.send_signal(signal.SIGCONT)
        wait_until(is_idle, START_SECONDS)
    lost = [*jobs][-1]
    for words in range(10, 20):
        submit(words)
    first.kill()
    assert applications.call("JobQueue") == {"jobs": 11, "taken": 1}

    _, log = program("JobQueue", "job_queue/service/worker.py", CLAIM_SECONDS="1")
    wait_until(is_idle, START_SECONDS)
    assert results() == jobs
    assert f"job {lost} is taken again" in log.read_text()
