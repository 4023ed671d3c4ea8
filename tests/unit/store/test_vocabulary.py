"""One vocabulary over the services: a name that two stores share means the same in both."""

from __future__ import annotations

import inspect
import itertools
import re
from typing import Any

import pytest

import cdk_redis
from cdk_redis import MemoryDbCluster, ReplicationGroup

# What is there; the serverless cache as soon as the library has it.
STORES: list[type] = [
    ReplicationGroup,
    MemoryDbCluster,
    *(getattr(cdk_redis, name) for name in ("ServerlessCache",) if hasattr(cdk_redis, name)),
]
PAIRS = list(itertools.combinations(STORES, 2))

# Differences that are meant, by name: of a parameter's type, default or meaning, or of a method's parameters.
MEANT: dict[str, str] = {
    "node_type": "the default is a type of node, which each service has its own names for",
    "shards": "ElastiCache has stores without cluster mode, which is the default; MemoryDB has none",
    "engine": "a serverless cache has a major version, and the service installs the minor ones",
    "network_type": "a serverless cache shows no nodes, whose addresses these could be",
}
_WORDS = re.compile(r"\b(replication group|serverless cache|cluster|cache|store|group)\b")


def parameters(store: type) -> dict[str, inspect.Parameter]:
    """The parameters of a store's constructor, by name."""
    own = dict(inspect.signature(store.__init__).parameters)
    return {name: parameter for name, parameter in own.items() if name not in ("self", "scope", "id")}


def methods(store: type) -> dict[str, Any]:
    """The public methods and properties of a store, by name; class methods name what they import."""
    public = {name: value for name, value in inspect.getmembers(store) if not name.startswith("_")}
    return {name: value for name, value in public.items() if inspect.isfunction(value) or isinstance(value, property)}


def meaning(text: str) -> str:
    """The first clause, with one word for all kinds of stores."""
    clause = re.split(r"[.;,:]", " ".join(text.split()))[0]
    return _WORDS.sub("store", clause.lower())


def described(store: type) -> dict[str, str]:
    """What the constructor's docstring says of each parameter."""
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
        if ours != theirs and name not in MEANT:
            differences[name] = (ours, theirs)
    assert differences == {}


def test_every_meant_difference_has_a_reason() -> None:
    assert all(len(reason.split()) >= 4 for reason in MEANT.values())


def test_the_node_stores_share_most_of_their_words() -> None:
    assert len(shared(ReplicationGroup, MemoryDbCluster)) >= 15


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_shared_method_takes_the_same_and_means_the_same(one: type, other: type) -> None:
    ours, theirs = methods(one), methods(other)
    for name in sorted(ours.keys() & theirs.keys()):
        assert meaning(inspect.getdoc(ours[name]) or "") == meaning(inspect.getdoc(theirs[name]) or ""), name
        if inspect.isfunction(ours[name]):
            assert inspect.signature(ours[name]) == inspect.signature(theirs[name]), name


@pytest.mark.parametrize("store", STORES)
def test_no_parameter_is_ignored(store: type) -> None:
    used = set(re.findall(r"\w+", inspect.getsource(store.__init__).partition("super().__init__")[2]))
    assert parameters(store).keys() <= used


@pytest.mark.parametrize("store", STORES)
def test_every_store_can_be_measured_granted_and_given_users(store: type) -> None:
    words = {
        "add_iam_user",
        "add_password_user",
        "grant_connect",
        "metric",
        "metric_memory_usage",
        "metric_connections",
    }
    assert words <= methods(store).keys()
