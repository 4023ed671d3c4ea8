"""Every example deploys to the local cloud, with its smoke test: straight to CloudFormation, several at the same time.

The CLI is the point of the other tests in this folder: `test_applications.py` deploys the applications with it. Those
whose services have container images cannot be deployed without it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cdk_redis_local import Deploys, LocalCloud

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(420)]

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
# Of the two examples in VPCs that exist.
ACCOUNT = "111122223333"
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "us-east-2", "us-west-2")
WITH_IMAGES = {"fan_out-app", "job_queue-app"}
"""Their containers are built by the CLI; `test_applications.py` deploys them, with another image."""
WITHOUT_A_STORE = {"imported_store-app"}
"""Its store is in an account of AWS: its smoke test finds nothing here."""
SAME_STACK_NAME = ("elasticache_serverless", "elasticache_serverless_cache")
"""Two stacks with one name, in two Regions: the generated names of their roles are the same in the local cloud."""
AT_ONCE = 2
# Else the CLI looks it up.
ZONES = {
    f"availability-zones:account={ACCOUNT}:region={region}": [f"{region}{letter}" for letter in "abc"]
    for region in REGIONS
}


def names() -> list[str]:
    """``memorydb_redis`` for ``memorydb_redis.py``, ``production-app`` for ``production/app.py``."""
    paths = [*EXAMPLES.glob("*.py"), *EXAMPLES.glob("*/app.py")]
    found = {"-".join(path.relative_to(EXAMPLES).with_suffix("").parts) for path in paths}
    return sorted(found - WITH_IMAGES - WITHOUT_A_STORE)


@pytest.fixture(scope="module")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cloud assembly for each example."""
    out = tmp_path_factory.mktemp("examples")
    context = {**json.loads((ROOT / "cdk.json").read_text())["context"], **ZONES}
    environment = {
        **os.environ,
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": REGIONS[0],
    }
    script = ROOT / "tests" / "support" / "synthesize_examples.py"
    subprocess.run([sys.executable, str(script), str(EXAMPLES), str(out)], cwd=out, env=environment, check=True)
    return out


@pytest.fixture(scope="module")
def results(assemblies: Path) -> Iterator[dict[str, str]]:
    """The error of each example, or an empty text: all are deployed to one cloud."""
    with LocalCloud(node_modules=ROOT / "node_modules", region=REGIONS[0], stand_in=True, account=ACCOUNT) as cloud:
        deploys = Deploys(cloud, ROOT)
        deploys.bootstrap(*REGIONS)

        def deploy(example: str) -> str:
            try:
                deploys.deploy(assemblies / example, cli=False)
            except Exception as error:
                return f"{type(error).__name__}: {error}"
            return ""

        def deploy_in_turn(examples: list[str]) -> dict[str, str]:
            return {example: deploy(example) for example in examples}

        second = SAME_STACK_NAME[1]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            turns = [[example] for example in names() if example != second]
            made = {example: error for turn in pool.map(deploy_in_turn, turns) for example, error in turn.items()}
        formation = deploys.client("cloudformation", "us-east-2")
        formation.delete_stack(StackName="Serverless")
        formation.get_waiter("stack_delete_complete").wait(StackName="Serverless", WaiterConfig={"Delay": 1})
        yield {**made, second: deploy(second)}


@pytest.mark.parametrize("example", names())
def test_an_example_deploys_with_its_smoke_test(results: dict[str, str], example: str) -> None:
    assert results[example] == ""


def test_the_examples_with_images_are_deployed_by_another_test() -> None:
    deployed = (Path(__file__).parent / "support" / "apps" / "applications.py").read_text()
    assert [name for name in WITH_IMAGES if f'"{name.removesuffix("-app")}"' not in deployed] == []
