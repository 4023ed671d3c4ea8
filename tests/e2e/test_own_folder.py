"""With the wheels only: an app with two stores and two programs in a folder of its own, and tests with pytest."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

import cdk_redis_local
from cdk_redis_local import DeployError, FunctionError, LocalCloudError, task_environment
from tests.e2e.support.deploys import APPS, Deploys
from tests.packaging.support.environments import build, install, pins_of, virtual_environment

HANDLER = """
from cdk_redis_runtime import connect

orders, ledger = connect("orders"), connect("ledger")

def handler(event, context):
    orders.set(event["key"], "an order")
    ledger.rpush(event["key"], "from the function")
    return {"orders": orders.get(event["key"]), "ledger": ledger.lrange(event["key"], 0, -1)}
"""
# A container with cdk-redis-runtime[iam] only.
PROGRAM = """
import importlib.util, sys
from cdk_redis_runtime import connect

assert importlib.util.find_spec("aws_cdk") is None
ledger = connect()
ledger.rpush(sys.argv[1], "from the service")
print(ledger.lrange(sys.argv[1], 0, -1))
"""
STACKS = {"Stores": "near:1", "Elsewhere": "far:1"}

pytestmark = [pytest.mark.e2e, pytest.mark.long]


@pytest.fixture(scope="module")
def wheels(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheels of cdk-redis and cdk-redis-runtime."""
    constructs, _ = build(repository, tmp_path_factory.mktemp("constructs"))
    runtime, _ = build(repository / "constructs", tmp_path_factory.mktemp("runtime"))
    return constructs, runtime


@pytest.fixture(scope="module")
def pins(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pinned versions, as constraints for pip."""
    file = tmp_path_factory.mktemp("pins") / "constraints.txt"
    file.write_text("\n".join(str(pin.requirement) for pin in pins_of(repository / "requirements-dev.txt")))
    return file


@pytest.fixture(scope="module")
def python(wheels: tuple[Path, Path], pins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheels, the local cloud and pytest."""
    made = virtual_environment(tmp_path_factory.mktemp("app"))
    extra = f"cdk-redis[local] @ {wheels[0].as_uri()}"
    install(made, "-c", pins, extra, wheels[1], "pytest", "pytest-xdist")
    return made


@pytest.mark.timeout(300)
def test_two_stores_and_two_programs_work_in_a_folder_of_their_own(
    deploys: Deploys,
    wheels: tuple[Path, Path],
    pins: Path,
    python: Path,
    repository: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    engine: str,
) -> None:
    container = virtual_environment(tmp_path_factory.mktemp("container"))
    install(container, "-c", pins, f"cdk-redis-runtime[iam] @ {wheels[1].as_uri()}")
    home = tmp_path / "an app of mine"
    (home / "function").mkdir(parents=True)
    (home / "function" / "handler.py").write_text(HANDLER)
    shutil.copy(APPS / "own_folder.py", home / "app.py")
    # With the feature flags of a new app.
    context = json.loads((repository / "cdk.json").read_text())["context"]
    flags = {name: value for name, value in context.items() if name.startswith("@aws-cdk")}
    (home / "cdk.json").write_text(json.dumps({"app": f"{python} app.py", "context": flags}))

    deploys.run("deploy", "--all", "--require-approval", "never", "-c", f"engine={engine}", cwd=home)

    for template in (home / "cdk.out").glob("*.template.json"):
        assert "Fn::ImportValue" not in template.read_text()
        assert not [
            output for output in json.loads(template.read_text()).get("Outputs", {}).values() if "Export" in output
        ]
    for stack, key in STACKS.items():
        made = deploys.outputs(stack)
        answer = deploys.invoke(made["FunctionName"], key=key)
        assert answer == {"orders": "an order", "ledger": ["from the function"]}
        environment = task_environment(deploys.cloud, cluster=made["ClusterName"], service=made["ServiceName"])
        run = subprocess.run(
            [container, "-c", PROGRAM, key], env=environment, capture_output=True, text=True, check=False
        )
        assert run.stdout.strip() == str(["from the function", "from the service"]), run.stderr
    deploys.run("destroy", "--all", "--force", "-c", f"engine={engine}", cwd=home)


@pytest.mark.timeout(300)
def test_stacks_and_stages_of_this_process_are_deployed_and_errors_tell_why(
    deploys: Deploys, repository: Path, tmp_path: Path
) -> None:
    local = cdk_redis_local.Deploys(deploys.cloud, repository)
    app = cdk.App()
    top = cdk.Stack(app, "Top")
    code = "def handler(event, _):\n    print('divides')\n    return 1 / event['by']"
    function = lambda_.Function(
        top,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="index.handler",
        code=lambda_.Code.from_inline(code),
    )
    below = cdk.Stack(cdk.Stage(app, "Stage"), "Below")
    cdk.CfnOutput(top, "One", value="1")

    assert local.deploy(top).outputs == {"Top": {"One": "1"}}
    without_cli = local.deploy(top, cli=False)
    assert (without_cli.outputs, without_cli.log) == ({"Top": {"One": "1"}}, "Top: no changes")
    assert local.invoke(function, {"by": 4}) == 0.25
    with pytest.raises(FunctionError, match=r"(?s)division by zero.*divides"):
        local.invoke(function, {"by": 0})
    with pytest.raises(LocalCloudError, match="Top/Alone is not deployed"):
        local.physical_id(sns.Topic(top, "Alone"))
    with pytest.raises(LocalCloudError, match=r"Top, shard 0001: .*Cluster Top not found"):
        local.fail_over("Top")

    # What the test adds to the app is deployed, too.
    elasticache.CfnReplicationGroup(
        below,
        "Group",
        replication_group_description="x",
        engine="valkey",
        engine_version="99",
        transit_encryption_enabled=True,
    )
    with pytest.raises(DeployError, match=r"(?s)cdk deploy failed.*Stage-Below.*the template declares valkey 99"):
        local.deploy(below)
    with pytest.raises(LocalCloudError, match=r"has no cdk\.json"):
        local.deploy(tmp_path)
    with pytest.raises(LocalCloudError, match=r"give them to cdk\.App"):
        local.deploy(app, context={"a": "b"})


# With -n 2, each of the two workers has a cloud of its own.
@pytest.mark.timeout(300)
@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["plain", "in parallel"])
def test_the_three_files_of_the_page_on_testing_pass(
    options: list[str], python: Path, repository: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [python, "-m", "pytest", *options, "--durations=0", "-p", "no:valkey", "-p", "no:cacheprovider", "--color=no"],
        cwd=three_files(repository, tmp_path),
        env=user_environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    found = re.search(r"4 passed.* in ([0-9.]+)s", done.stdout)
    assert found, done.stdout + done.stderr
    print(done.stdout)
    # On two cores that have nothing else to do, it takes 20 to 35 seconds. Here, other tests may run at the same time.
    assert float(found[1]) < 240


def three_files(repository: Path, folder: Path) -> Path:
    """Write the files of docs/testing.md, each below a heading with its name."""
    page = (repository / "docs" / "testing.md").read_text()
    files = re.findall(r"^### `([^`]+)`\n\n```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert [name for name, _ in files] == ["stack.py", "function/handler.py", "test_visits.py"]
    for name, text in files:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "node_modules").symlink_to(repository / "node_modules")
    return folder


def user_environment() -> dict[str, str]:
    """This environment without what is only for the tests of this repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "CDK_"))}
