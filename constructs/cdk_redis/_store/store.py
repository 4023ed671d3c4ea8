"""Base class of the stores that an app defines: it adds users."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._access.authentication import Authentication, with_key
from cdk_redis._access.members import UserList
from cdk_redis._access.users import read_access
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import check_name
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.naming import MAX_USER_NAME
from cdk_redis._store.interface import IStore

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_secretsmanager as secretsmanager

    from cdk_redis._access.access_string import AccessString
    from cdk_redis._access.users import User


class Store(IStore):
    """Base class of `ReplicationGroup`, `ServerlessCache` and `MemoryDbCluster`."""

    _secret_kms_key: kms.IKey | None = None

    @checked_arguments
    def add_iam_user(self, name: str, access: AccessString | str) -> User:
        """Add a user that signs in with a token made from the caller's AWS credentials.

        Args:
            name: Id of the user within this store, in lower-case letters, digits and hyphens. The name to sign in
                with is generated from it, because names of users are unique in an account: see ``user_name``.
            access: What it may do, such as ``AccessString.read_write("app:*")`` or ``"on ~app:* +@read"``.

        Returns:
            The user, for `grant_connect`.

        Raises:
            ConfigurationError: If the name is in use or invalid, or the engine has no IAM users.
        """
        return self._add_user(name, access, Authentication.iam())

    @checked_arguments
    def add_password_user(
        self,
        name: str,
        access: AccessString | str,
        *,
        secret: secretsmanager.ISecret | None = None,
        kms_key: kms.IKey | None = None,
    ) -> User:
        """Add a user that signs in with a password kept in Secrets Manager.

        Args:
            name: Id of the user within this store, in lower-case letters, digits and hyphens.
            access: What it may do, such as ``AccessString.read_write("app:*")`` or ``"on ~app:* +@read"``.
            secret: A secret whose value is JSON with the key ``password``, 16 to 128 characters long.
                Default: - one with a random password is generated.
            kms_key: Key that encrypts the generated secret. What reads the secret is allowed to decrypt with it.
                Default: - `secret_kms_key` of the store, or else the key ``aws/secretsmanager``.

        Returns:
            The user, for `grant_connect`; its ``secret`` holds ``username`` and ``password``.

        Raises:
            ConfigurationError: If the name is in use or invalid, or `kms_key` is given with `secret`.
        """
        authentication = Authentication.password(secret, kms_key=kms_key)
        return self._add_user(name, access, with_key(authentication, self._secret_kms_key))

    def _add_user(self, name: str, access: AccessString | str, authentication: Authentication) -> User:
        problems = Problems(self)
        check_name(problems, "name", name, max_length=MAX_USER_NAME)
        access = read_access(problems, access)
        problems.raise_if_any()
        if has_user_named(self, name):
            raise ConfigurationError(self.node.path, [problem("name", name, "the store has a user of that name")])
        scope, folder = _place_of_users(self)
        # A scope for the users, so that their ids differ from those of the other children.
        users = cast("Construct", scope.node.try_find_child(folder)) or Construct(scope, folder)
        try:
            user = self._create_user(users, name, access, authentication)
        except ConfigurationError:
            users.node.try_remove_child(name)
            raise
        # If stores share their list of users, the list contains it already.
        if user not in self.users:
            self.users.append(user)
        return user

    def _create_user(self, scope: Construct, id: str, access: AccessString, authentication: Authentication) -> User:
        """Define a user and add it to the store."""
        raise NotImplementedError


def has_user_named(store: Store, name: str) -> bool:
    """Whether `Store.add_iam_user` or `Store.add_password_user` was called with this name."""
    scope, folder = _place_of_users(store)
    users = scope.node.try_find_child(folder)
    return users is not None and users.node.try_find_child(name) is not None


def _place_of_users(store: Store) -> tuple[Construct, str]:
    """Scope and id of the construct that has the store's users as children.

    A list in another stack refers to its users, and the store refers to the list: if the users were in the stack of the
    store, each of the two stacks would depend on the other.
    """
    shared = getattr(store, "user_group", None) or getattr(store, "acl", None)
    if isinstance(shared, UserList) and cdk.Stack.of(shared) is not cdk.Stack.of(store):
        return shared, f"{cdk.Names.node_unique_id(store.node)}Users"
    return store, "Users"
