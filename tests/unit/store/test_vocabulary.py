"""A parameter or method that two stores share has the same type, default and meaning in both."""

from __future__ import annotations

import inspect
import itertools
import re
from typing import Any

import pytest

from cdk_redis import MemoryDbCluster, ReplicationGroup, ServerlessCache

STORES: list[type] = [ReplicationGroup, MemoryDbCluster, ServerlessCache]
PAIRS = list(itertools.combinations(STORES, 2))

# Parameters whose type, default or meaning differs on purpose, with the reason.
INTENDED: dict[str, str] = {
    "node_type": "the names of node types differ between the services",
    "shards": "cluster mode is off by default in ElastiCache and always on in MemoryDB",
    "engine": "a serverless cache has only a major version; the service installs minor versions",
    "network_type": "a serverless cache has no visible nodes, only an endpoint",
}
_WORDS = re.compile(r"\b(replication group|serverless cache|cluster|cache|store|group)\b")


def parameters(store: type) -> dict[str, inspect.Parameter]:
    """The parameters of a store's constructor, by name."""
    own = dict(inspect.signature(store.__init__).parameters)
    return {name: parameter for name, parameter in own.items() if name not in ("self", "scope", "id")}


def methods(store: type) -> dict[str, Any]:
    """The public methods and properties of a store, by name, without class methods, which import stores."""
    public = {name: value for name, value in inspect.getmembers(store) if not name.startswith("_")}
    return {name: value for name, value in public.items() if inspect.isfunction(value) or isinstance(value, property)}


def meaning(text: str) -> str:
    """The first clause of a docstring, with the word "store" for all kinds of stores."""
    clause = re.split(r"[.;,:]", " ".join(text.split()))[0]
    return _WORDS.sub("store", clause.lower())


def described(store: type) -> dict[str, str]:
    """The descriptions of the parameters in the constructor's docstring, by name."""
    text = inspect.getdoc(store.__init__) or ""
    (arguments,) = re.findall(r"^Args:\n(.*?)(?:^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    return dict(re.findall(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", arguments, re.MULTILINE | re.DOTALL))


def shared(one: type, other: type) -> list[str]:
    return sorted(parameters(one).keys() & parameters(other).keys())


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_shared_parameter_has_one_type_one_default_and_one_meaning(one: type, other: type) -> None:
    differences = {}
    for name in shared(one, other):
        ours, theirs = (
            (parameters(store)[name].annotation, parameters(store)[name].default, meaning(described(store)[name]))
            for store in (one, other)
        )
        if ours != theirs and name not in INTENDED:
            differences[name] = (ours, theirs)
    assert differences == {}


def test_every_intended_difference_has_a_reason() -> None:
    assert all(len(reason.split()) >= 4 for reason in INTENDED.values())


def test_the_stores_with_nodes_share_most_parameters() -> None:
    assert len(shared(ReplicationGroup, MemoryDbCluster)) >= 15


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_shared_method_has_one_signature_and_one_meaning(one: type, other: type) -> None:
    ours, theirs = methods(one), methods(other)
    for name in sorted(ours.keys() & theirs.keys()):
        assert meaning(inspect.getdoc(ours[name]) or "") == meaning(inspect.getdoc(theirs[name]) or ""), name
        if inspect.isfunction(ours[name]):
            assert inspect.signature(ours[name]) == inspect.signature(theirs[name]), name


@pytest.mark.parametrize("store", STORES)
def test_every_parameter_is_used(store: type) -> None:
    used = set(re.findall(r"\w+", inspect.getsource(store.__init__).partition("super().__init__")[2]))
    # @checked_arguments uses the preset.
    assert parameters(store).keys() - {"preset"} <= used


@pytest.mark.parametrize("store", STORES)
def test_every_store_has_metrics_grants_and_users(store: type) -> None:
    words = {
        "add_iam_user",
        "add_password_user",
        "grant_connect",
        "metric",
        "metric_memory_usage",
        "metric_connections",
    }
    assert words <= methods(store).keys()
