"""With the wheels only: a function uses two stores, a service one, from the stores' stack and from another stack."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from cdk_redis_local import task_environment
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


@pytest.fixture(scope="module")
def wheels(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheels of cdk-redis and cdk-redis-runtime."""
    constructs, _ = build(repository, tmp_path_factory.mktemp("constructs"))
    runtime, _ = build(repository / "constructs", tmp_path_factory.mktemp("runtime"))
    return constructs, runtime


@pytest.mark.e2e
@pytest.mark.long
@pytest.mark.timeout(300)
def test_two_stores_and_two_programs_work_in_a_folder_of_their_own(
    deploys: Deploys,
    wheels: tuple[Path, Path],
    repository: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    engine: str,
) -> None:
    app, container = (virtual_environment(tmp_path_factory.mktemp(name)) for name in ("app", "container"))
    pins = tmp_path / "constraints.txt"
    pins.write_text("\n".join(str(pin.requirement) for pin in pins_of(repository / "requirements-dev.txt")))
    install(app, "-c", pins, *wheels)
    install(container, "-c", pins, f"cdk-redis-runtime[iam] @ {wheels[1].as_uri()}")
    home = tmp_path / "an app of mine"
    (home / "function").mkdir(parents=True)
    (home / "function" / "handler.py").write_text(HANDLER)
    shutil.copy(APPS / "own_folder.py", home / "app.py")
    # With the feature flags of a new app.
    context = json.loads((repository / "cdk.json").read_text())["context"]
    flags = {name: value for name, value in context.items() if name.startswith("@aws-cdk")}
    (home / "cdk.json").write_text(json.dumps({"app": f"{app} app.py", "context": flags}))

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
