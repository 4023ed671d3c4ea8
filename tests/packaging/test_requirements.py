"""The requirements in pyproject.toml can be installed, and the requirement files pin all of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.packaging.support.environments import UV, install, pins_of, requirements, run, virtual_environment
from tests.packaging.support.environments import project as read_project

pytestmark = pytest.mark.long

APP, DEVELOPMENT, SCANNERS = FILES = ["requirements.txt", "requirements-dev.txt", "requirements-scan.txt"]
EXTRAS = ["app", "cli", "local"]
RUNTIME_EXTRAS = ["cli", "iam"]
RUNTIME = "cdk-redis-runtime"
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
SYSTEMS = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")]


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    return read_project(repository)


@pytest.fixture(scope="module")
def runtime(repository: Path) -> dict[str, Any]:
    return read_project(repository / "constructs")


def asked_for(repository: Path, file: str) -> list[Requirement]:
    """The requirements of both distributions that a requirement file pins."""
    project, runtime = (read_project(folder) for folder in (repository, repository / "constructs"))
    extras: dict[str, list[str]] = project["project"]["optional-dependencies"]
    groups: dict[str, list[Any]] = project["dependency-groups"]
    if file == SCANNERS:
        return [Requirement(line) for line in groups["scan"]]
    lines: list[str] = [*requirements(repository), *extras["app"]]
    if file == DEVELOPMENT:
        lines += [line for extra in EXTRAS for line in extras[extra] if not line.startswith(RUNTIME)]
        lines += [line for extra in RUNTIME_EXTRAS for line in runtime["project"]["optional-dependencies"][extra]]
        names = groups.keys() - {"scan"}
        lines += [line for name in names for line in groups[name] if isinstance(line, str)]
        lines += project["build-system"]["requires"]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("file", FILES)
def test_every_requirement_is_pinned_with_its_hashes_and_without_an_index(repository: Path, file: str) -> None:
    # If one line has a hash, pip rejects all lines without one.
    assert "://" not in (repository / file).read_text()
    for pin in pins_of(repository / file):
        assert re.fullmatch(r"==[\w.]+", str(pin.requirement.specifier)), pin
        assert pin.hashes, pin
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in pin.hashes), pin


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_pinned_versions_match_pyproject(repository: Path, file: str, python: str) -> None:
    pins = [pin.requirement for pin in pins_of(repository / file)]
    for system, machine in SYSTEMS:
        environment = {
            "python_version": python,
            "python_full_version": f"{python}.9",
            "sys_platform": system,
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
        }
        pinned = {
            pin.name: str(pin.specifier).removeprefix("==")
            for pin in pins
            if pin.marker is None or pin.marker.evaluate(environment)
        }
        for asked in asked_for(repository, file):
            if asked.marker is None or asked.marker.evaluate(environment):
                assert asked.name in pinned, f"{asked} is missing from {file}; run: make requirements"
                assert asked.specifier.contains(pinned[asked.name]), f"{asked}: {file} is old; run: make requirements"


def test_the_tests_run_with_the_versions_that_the_app_installs(repository: Path) -> None:
    app, development = (pins_of(repository / file) for file in (APP, DEVELOPMENT))
    assert app
    assert set(app) <= set(development)


def test_the_build_requirements_are_pinned_and_the_same(project: dict[str, Any], runtime: dict[str, Any]) -> None:
    (builder,) = project["build-system"]["requires"]
    assert runtime["build-system"]["requires"] == [builder]
    assert re.fullmatch(r"hatchling==[\d.]+", builder)
    assert builder in project["dependency-groups"]["dev"]


def test_every_supported_version_of_python_is_tested(project: dict[str, Any], runtime: dict[str, Any]) -> None:
    for distribution in (project, runtime):
        promised = re.findall(r"Python :: (3\.\d+)", " ".join(distribution["project"]["classifiers"]))
        assert promised == PYTHONS
        assert distribution["project"]["requires-python"] == f">={PYTHONS[0]}"


@pytest.mark.parametrize(("folder", "extras"), [(".", EXTRAS), ("constructs", RUNTIME_EXTRAS)])
@pytest.mark.parametrize("python", PYTHONS)
def test_both_distributions_and_their_extras_resolve(
    repository: Path, python: str, folder: str, extras: list[str]
) -> None:
    options = [argument for extra in extras for argument in ("--extra", extra)]
    run(
        UV, "pip", "compile", "--quiet", "--python-version", python, *options, "pyproject.toml", cwd=repository / folder
    )


def test_the_version_is_in_one_file(repository: Path, project: dict[str, Any], runtime: dict[str, Any]) -> None:
    homes = {
        (repository / folder / found["tool"]["hatch"]["version"]["path"]).resolve()
        for folder, found in {".": project, "constructs": runtime}.items()
    }
    assert homes == {repository / "constructs" / "cdk_redis_runtime" / "_version.py"}
    assert "version" not in project["project"]
    assert "version" not in runtime["project"]


@pytest.mark.parametrize("python", PYTHONS)
def test_the_pinned_versions_resolve_by_their_hashes_without_a_build(
    repository: Path, tmp_path: Path, python: str
) -> None:
    options = ["--dry-run", "--require-hashes", "--only-binary", ":all:", "--python-version", python]
    run(UV, "pip", "install", *options, "--target", tmp_path, "-r", DEVELOPMENT, cwd=repository)


@pytest.mark.timeout(300)
def test_the_app_synthesizes_with_the_versions_in_requirements_txt(repository: Path, tmp_path: Path) -> None:
    python = virtual_environment(tmp_path)
    install(python, "--require-hashes", "-r", repository / "requirements.txt")
    # A folder has no hash, so they are installed separately, as README.md shows.
    install(python, "--no-deps", "--editable", repository / "constructs", "--editable", repository)
    run(python, "app.py", cwd=repository, CDK_OUTDIR=str(tmp_path / "cdk.out"), CDK_VALIDATION="false")
    assert len([*tmp_path.glob("cdk.out/CdkRedis-dev-*.template.json")]) == 4
