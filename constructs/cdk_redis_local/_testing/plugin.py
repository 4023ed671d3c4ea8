"""The plug-in of pytest: fixtures that deploy to a local cloud. It imports nothing until a test asks for a fixture."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from cdk_redis_local._cloud import LocalCloud
    from cdk_redis_local._engines.engines import EngineSet
    from cdk_redis_local._testing.deploys import Deployed, Deploys


@pytest.fixture(scope="session")
def local_cloud_options() -> dict[str, Any]:
    """Arguments of `LocalCloud`; override this fixture to set some: ``return {"stand_in": True}``.

    With ``"shared": True``, all workers of pytest-xdist use one cloud.
    """
    return {}


@pytest.fixture(scope="session")
def local_cloud(local_cloud_options: dict[str, Any], pytestconfig: pytest.Config) -> Iterator[LocalCloud]:
    """A `LocalCloud`, started and bootstrapped once for the session; with pytest-xdist, one for each worker."""
    directory = _directory(pytestconfig)
    options = {"node_modules": directory / "node_modules", **local_cloud_options}
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if options.pop("shared", False) and run:
        from cdk_redis_local._testing.shared import SharedCloud

        with SharedCloud(run, directory, options) as cloud:
            yield cloud
        return
    from cdk_redis_local import Deploys, LocalCloud

    with LocalCloud(**options) as cloud:
        Deploys(cloud, directory).bootstrap()
        yield cloud


@pytest.fixture(scope="session")
def deploys(local_cloud: LocalCloud, pytestconfig: pytest.Config) -> Deploys:
    """The `Deploys` of the cloud, with methods that have no fixture: ``logs``, ``destroy``, ``outputs``, ``run``."""
    from cdk_redis_local import Deploys

    return Deploys(local_cloud, _directory(pytestconfig))


@pytest.fixture(scope="session")
def deploy(deploys: Deploys) -> Callable[..., Deployed]:
    """Deploys an app, a stage, a stack, or a folder with a cdk.json, with the CDK CLI: see `Deploys.deploy`."""
    return deploys.deploy


@pytest.fixture(scope="session")
def invoke(deploys: Deploys) -> Callable[..., Any]:
    """Invokes a deployed function, by name or construct, and returns its result: see `Deploys.invoke`."""
    return deploys.invoke


@pytest.fixture(scope="session")
def fail_over(deploys: Deploys) -> Callable[..., None]:
    """Fails a deployed store over, by name or construct: see `Deploys.fail_over`."""
    return deploys.fail_over


@pytest.fixture(scope="session")
def break_store(deploys: Deploys) -> Callable[..., AbstractContextManager[None]]:
    """Injects a fault into a deployed store for a ``with`` block, by name or construct: see `Deploys.break_store`."""
    return deploys.break_store


@pytest.fixture(scope="session")
def store_client(deploys: Deploys) -> Callable[..., Any]:
    """Gives a client with all permissions on a deployed store, by name or construct: see `Deploys.store_client`."""
    return deploys.store_client


@pytest.fixture(scope="module")
def engine() -> Iterator[Callable[..., EngineSet]]:
    """Starts a real engine or cluster for unit tests, without an AWS: see `BoundEngines.start`.

    ``connect()`` reaches it, until the last test of the module has ended.
    """
    from cdk_redis_local._testing.bound_engines import BoundEngines

    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        with BoundEngines(patch.setenv) as engines:
            yield engines.start


def _directory(config: pytest.Config) -> Path:
    """The folder whose ``node_modules`` has the CDK CLI: the working directory, or pytest's root directory."""
    folders = (config.invocation_params.dir, config.rootpath)
    return next((folder for folder in folders if (folder / "node_modules").is_dir()), config.rootpath)
