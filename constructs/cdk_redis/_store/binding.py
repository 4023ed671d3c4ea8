"""What a target is bound to: its names, its variables, and the order in which a stack is deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.tokens import is_token
from cdk_redis._store.access import (
    check_region,
    check_user,
    environment_of,
    open_endpoint,
    open_store,
    secrets_endpoint,
    sign_in,
)
from cdk_redis._store.across_stacks import reader_for
from cdk_redis._store.clients import client_of
from cdk_redis_runtime._client import environment

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from constructs import IConstruct

    from cdk_redis._access.users import User
    from cdk_redis._store.clients import Client, Given
    from cdk_redis._store.parts import StoreParts

# Type of the target's metadata with what it is bound to; the name of the binding follows.
_BOUND = "cdk-redis:bound"


def bind_to_store(store: StoreParts, given: Given, user: User | None, name: str | None) -> None:
    """Bind a target to a store; see `IStore.bind`."""
    check_name(given.where, name)
    check_user(store, user)
    client = client_of(given)
    other_side = f"{store.node.path} without a user" if user is None else f"{store.node.path} as {user.node.path}"
    known = is_bound(given.where, client, name, other_side)
    # The same container may run with several lists of security groups.
    if known and given.security_groups is None:
        return
    if client.grantee.connectable is None:
        hint = "give the `security_groups` of the service, or of the call that runs the task; or bind the service"
        reason = "a task has the security groups of what runs it"
        given.refuse(reason, hint, "security_groups", given.security_groups)
    check_region(store, client.grantee, given.parameter)
    endpoint = None
    if user is not None and user.secret is not None:
        endpoint = secrets_endpoint(store.network, client)
    rules = open_store(store, client.grantee)
    if store.network is not None and endpoint is not None:
        rules += open_endpoint(store.network, endpoint, client.grantee)
    delete_first(client, rules, None if user is None else sign_in(store, client.grantee, user))
    if not known:
        variables = environment_of(store, user, reader_for(store, client.holder))
        if not client.has_region:
            variables[environment.REGION] = cdk.Stack.of(store).region
        add_binding(client, name, other_side, variables)


def check_name(where: str, name: str | None) -> None:
    """Check the name of a binding.

    Raises:
        ConfigurationError: If its variables could be those of another binding.
    """
    if name is None:
        return
    reason = "a name is written out" if is_token(name) else environment.why_not_a_binding_name(name)
    if reason is not None:
        raise ConfigurationError(where, [problem("name", name, reason, "use for example 'ledger'")])


def is_bound(where: str, client: Client, name: str | None, other_side: str) -> bool:
    """Whether a target has this binding already.

    Args:
        where: Path of the construct for error messages.
        client: The target.
        name: Name of the binding; None for that without a name.
        other_side: What it is bound to, in words.

    Raises:
        ConfigurationError: If it has another binding of that name.
    """
    kind = _kind(name)
    bound = next((str(entry.data) for entry in client.holder.node.metadata if entry.type == kind), None)
    if bound is None or bound == other_side:
        return bound is not None
    path = client.holder.node.path
    if name is not None:
        reason = f"this is the name of the binding of {path} to {bound}"
        raise ConfigurationError(where, [problem("name", name, reason, "use another name for each binding")])
    reason = f"it is bound to {bound}, and a target has one binding without a name"
    hint = "give this one a name: with bind(..., name='ledger'), the program calls connect('ledger')"
    raise ConfigurationError(where, [problem("target", path, reason, hint)])


def add_binding(client: Client, name: str | None, other_side: str, variables: Mapping[str, str]) -> None:
    """Add the variables of a binding to a target.

    Args:
        client: The target.
        name: Name of the binding; None for that without a name.
        other_side: What it is bound to, in words.
        variables: The variables, without the name of the binding.
    """
    client.write({environment.variable(field, name): value for field, value in variables.items()})
    client.holder.node.add_metadata(_kind(name), other_side)


def delete_first(client: Client, rules: Iterable[IConstruct], grant: iam.Grant | None = None) -> None:
    """Create what a program needs to connect before the program, and delete it after the program.

    Otherwise, CloudFormation may delete the policy or a rule while the program still works.

    Args:
        client: The program.
        rules: Its security-group rules.
        grant: Its permissions.
    """
    if client.resource is None:
        return
    rules = [*rules]
    if rules:
        client.resource.node.add_dependency(*rules)
    if grant is not None:
        grant.apply_before(client.resource)


def _kind(name: str | None) -> str:
    return _BOUND if name is None else f"{_BOUND}:{name}"
