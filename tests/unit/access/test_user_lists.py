"""The users of an ElastiCache user group and of a MemoryDB access control list: the same rules for both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from cdk_redis import (
    Acl,
    ConfigurationError,
    ElastiCacheUser,
    ElastiCacheUserGroup,
    MemoryDbCluster,
    MemoryDbUser,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
    Store,
    User,
)


@dataclass(frozen=True)
class Kind:
    """One of the two kinds of lists."""

    create: Callable[..., ElastiCacheUserGroup | Acl]
    user: Callable[..., User]
    user_class: type[ElastiCacheUser | MemoryDbUser]
    import_list: Callable[..., Any]
    resource_type: str
    members: str
    user_type: str
    needs: str


def elasticache_user(scope: cdk.Stack, id: str, **given: Any) -> ElastiCacheUser:
    defaults = {"engine": "valkey:8.1", "access": "on ~* +@read", "authentication": "iam"}
    return ElastiCacheUser(scope, id, **{**defaults, **given})


def memorydb_user(scope: cdk.Stack, id: str, **given: Any) -> MemoryDbUser:
    return MemoryDbUser(scope, id, **{"access": "on ~* +@read", "authentication": "iam", **given})


def user_group(scope: cdk.Stack, id: str, *, engine: str = "valkey:8.1", **given: Any) -> ElastiCacheUserGroup:
    return ElastiCacheUserGroup(scope, id, engine=engine, **given)


GROUP = Kind(
    user_group,
    elasticache_user,
    ElastiCacheUser,
    ElastiCacheUserGroup.from_user_group_id,
    "AWS::ElastiCache::UserGroup",
    "UserIds",
    "AWS::ElastiCache::User",
    "an ElastiCacheUser",
)
ACL = Kind(
    Acl,
    memorydb_user,
    MemoryDbUser,
    Acl.from_acl_name,
    "AWS::MemoryDB::ACL",
    "UserNames",
    "AWS::MemoryDB::User",
    "a MemoryDbUser",
)
KINDS = pytest.mark.parametrize("kind", [pytest.param(GROUP, id="user group"), pytest.param(ACL, id="ACL")])


def members(stack: cdk.Stack, kind: Kind) -> Any:
    (resource,) = Template.from_stack(stack).find_resources(kind.resource_type).values()
    return resource["Properties"][kind.members]


def references(stack: cdk.Stack, *users: ElastiCacheUser | MemoryDbUser) -> list[dict[str, str]]:
    return [{"Ref": stack.get_logical_id(user.resource)} for user in users]


def waits_for(stack: cdk.Stack, kind: Kind) -> dict[str, list[str]]:
    """The users that CloudFormation creates before a user, by its id."""
    users = Template.from_stack(stack).find_resources(kind.user_type)
    return {name[:-8]: [on[:-8] for on in user.get("DependsOn", []) if on in users] for name, user in users.items()}


@KINDS
def test_a_list_refers_to_its_users_in_the_order_in_which_they_were_added(stack: cdk.Stack, kind: Kind) -> None:
    one, two, three = (kind.user(stack, name) for name in ("One", "Two", "Three"))
    created = kind.create(stack, "List", users=[three, one])
    created.add(two)

    assert created.users == [three, one, two]
    assert members(stack, kind) == references(stack, three, one, two)  # type: ignore[arg-type]


@KINDS
def test_an_imported_user_is_listed_by_its_name(stack: cdk.Stack, kind: Kind) -> None:
    theirs = kind.user_class.from_user_attributes(stack, "Theirs", user_name="theirs")
    kind.create(stack, "List", users=[theirs])

    assert members(stack, kind) == ["theirs"]


# The users of a list are changed one after the other


@KINDS
def test_users_are_changed_in_the_order_of_the_construct_tree(stack: cdk.Stack, kind: Kind) -> None:
    one, two, three = (kind.user(stack, name) for name in ("One", "Two", "Three"))
    kind.create(stack, "List", users=[three, one, two])

    assert waits_for(stack, kind) == {"One": [], "Two": ["One"], "Three": ["One", "Two"]}


@KINDS
def test_lists_that_share_users_make_no_dependency_cycle(stack: cdk.Stack, kind: Kind) -> None:
    users = [kind.user(stack, name) for name in ("One", "Two", "Three")]
    kind.create(stack, "List", users=users)
    kind.create(stack, "Other", users=users[::-1])
    kind.create(stack, "Third", users=[users[1], users[2], users[0]])

    waits = waits_for(stack, kind)
    assert waits["One"] == []
    assert waits["Two"] == ["One"]
    assert waits["Three"][-1] == "Two"


@KINDS
def test_the_order_does_not_depend_on_other_apps_of_the_process(kind: Kind) -> None:
    def templates(apps: Sequence[cdk.App]) -> list[dict[str, Any]]:
        stacks = [cdk.Stack(app, "Stack") for app in apps]
        users = [[kind.user(stack, name) for stack in stacks] for name in ("One", "Two")]
        for index, stack in enumerate(stacks):
            kind.create(stack, "List", users=[both[index] for both in reversed(users)])
        return [dict(Template.from_stack(stack).to_json()) for stack in stacks]

    alone, *_ = templates([cdk.App()])
    assert templates([cdk.App(), cdk.App()]) == [alone, alone]


@KINDS
def test_a_list_takes_users_of_an_earlier_stack(stack: cdk.Stack, kind: Kind) -> None:
    later = cdk.Stack(stack.node.scope, "Later", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    users = [kind.user(stack, "One"), kind.user(later, "Two"), kind.user(stack, "Three")]
    kind.create(later, "List", users=users)

    assert waits_for(later, kind) == {"Two": []}
    assert [dependency.stack_name for dependency in later.dependencies] == [stack.stack_name]


# What is rejected


@KINDS
def test_a_user_is_added_once(stack: cdk.Stack, kind: Kind) -> None:
    one = kind.user(stack, "One")
    created = kind.create(stack, "List", users=[one])

    with pytest.raises(ConfigurationError) as caught:
        created.add(one)
    assert str(caught.value) == "Stack/List: user: got 'Stack/One', but it has been added already"
    with pytest.raises(ConfigurationError) as caught:
        kind.create(stack, "Other", users=[one, one])
    assert str(caught.value) == "Stack/Other: users: got 'Stack/One', but it has been added already"
    assert created.users == [one]


@KINDS
def test_users_of_one_name_are_rejected(stack: cdk.Stack, kind: Kind) -> None:
    created = kind.create(stack, "List", users=[kind.user(stack, "One", user_name="app")])

    with pytest.raises(ConfigurationError) as caught:
        created.add(kind.user_class.from_user_attributes(stack, "Two", user_name="app"))
    assert str(caught.value) == (
        "Stack/List: user: got 'Stack/Two', but Stack/One has the same user name, 'app'; "
        "the users of one list need different names"
    )


@KINDS
def test_users_of_the_other_service_are_rejected(stack: cdk.Stack, kind: Kind) -> None:
    other = ACL if kind is GROUP else GROUP
    created = kind.create(stack, "List")
    for user in (
        other.user(stack, "Defined"),
        other.user_class.from_user_attributes(stack, "Imported", user_name="imported"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            created.add(user)
        assert str(caught.value) == (
            f"Stack/List: user: got '{user.node.path}', but it is not {kind.needs}, defined or imported"
        )
        with pytest.raises(ConfigurationError) as caught:
            kind.import_list(stack, f"Of{user.node.id}", "theirs", users=[user])
        assert str(caught.value) == (
            f"Stack/Of{user.node.id}: users: got '{user.node.path}', but it is not {kind.needs}, defined or imported"
        )


@KINDS
@pytest.mark.parametrize("user", ["app", 5, b"app", ["app"], cdk.App()])
def test_anything_but_a_user_is_rejected(stack: cdk.Stack, kind: Kind, user: Any) -> None:
    created = kind.create(stack, "List")
    imported = kind.import_list(stack, "Imported", "theirs")

    with pytest.raises(ConfigurationError, match=r"Stack/List: user: got .*, but it takes User"):
        created.add(user)
    with pytest.raises(ConfigurationError, match=r"Stack/Other: users\[0\]: got .*, but it takes User"):
        kind.create(stack, "Other", users=[user])
    with pytest.raises(ConfigurationError, match=r"Stack/Third: users.*: got .*, but it takes "):
        kind.create(stack, "Third", users=user)
    with pytest.raises(ConfigurationError, match="the list is imported"):
        imported.add(user)
    with pytest.raises(ConfigurationError, match=r"Stack/Imported2: users\[0\]: got .*, but it takes User"):
        kind.import_list(stack, "Imported2", "theirs", users=[user])


@pytest.mark.parametrize(("engine", "of_user"), [("valkey:8.1", "redis:7.1"), ("redis:7.1", "redis:6.2")])
def test_a_user_group_takes_users_of_redis_oss(stack: cdk.Stack, engine: str, of_user: str) -> None:
    user = elasticache_user(stack, "User", engine=of_user, authentication="password")
    assert user_group(stack, "List", engine=engine, users=[user]).users == [user]


def test_a_user_group_of_redis_oss_rejects_users_of_valkey(stack: cdk.Stack) -> None:
    group = user_group(stack, "List", engine="redis:7.1")
    with pytest.raises(ConfigurationError) as caught:
        group.add(elasticache_user(stack, "User"))
    assert str(caught.value) == (
        "Stack/List: user: got 'Stack/User', but it is a user of valkey 8.1, and a user group of Redis OSS has users "
        "of Redis OSS only; give it the engine redis 7.1"
    )


# The default user of Redis OSS


def test_a_group_of_redis_oss_has_a_disabled_default_user(stack: cdk.Stack) -> None:
    group = user_group(stack, "List", engine="redis:7.1")

    assert group.users == []
    (user,) = Template.from_stack(stack).find_resources("AWS::ElastiCache::User").values()
    assert (user["Properties"]["UserName"], user["Properties"]["AccessString"]) == ("default", "off -@all")
    assert user["Properties"]["UserId"].startswith("stack-list-defaultuser")


def test_a_given_default_user_replaces_the_disabled_one(stack: cdk.Stack) -> None:
    mine = elasticache_user(stack, "Mine", engine="redis:7.1", authentication="password", user_name="default")
    user_group(stack, "List", engine="redis:7.1", users=[mine])

    assert members(stack, GROUP) == references(stack, mine)


def test_a_default_user_cannot_be_added_later(stack: cdk.Stack) -> None:
    group = user_group(stack, "List", engine="redis:7.1")
    with pytest.raises(ConfigurationError, match="Stack/List/DefaultUser has the same user name, 'default'"):
        group.add(elasticache_user(stack, "Mine", engine="redis:7.1", authentication="password", user_name="default"))


# The names of a user group, and its import; those of an ACL are in test_acl.py


def test_a_user_group_has_the_given_id(stack: cdk.Stack) -> None:
    group = user_group(stack, "List", user_group_id="app")

    Template.from_stack(stack).has_resource_properties(
        "AWS::ElastiCache::UserGroup", {"UserGroupId": "app", "Engine": "valkey", "UserIds": []}
    )
    assert stack.resolve(group.user_group_id) == {"Ref": stack.get_logical_id(group.resource)}


@pytest.mark.parametrize("user_group_id", ["App", "a" * 41])
def test_an_invalid_id_of_a_user_group_is_rejected(stack: cdk.Stack, user_group_id: str) -> None:
    for name, create in (("List", user_group), ("Imported", ElastiCacheUserGroup.from_user_group_id)):
        with pytest.raises(ConfigurationError, match=f"Stack/{name}: user_group_id: got .*, but a name has 1 to 40"):
            create(stack, name, user_group_id=user_group_id)


def test_an_imported_user_group_is_used_and_not_changed(stack: cdk.Stack) -> None:
    known = ElastiCacheUser.from_user_attributes(stack, "Known", user_name="known")
    group = ElastiCacheUserGroup.from_user_group_id(stack, "List", "theirs", users=[known], engine="redis:7.1")

    assert (group.user_group_id, group.users, str(group.engine)) == ("theirs", [known], "redis 7.1")
    with pytest.raises(ConfigurationError) as caught:
        group.add(elasticache_user(stack, "Mine"))
    assert str(caught.value) == (
        "Stack/List: user: got 'Stack/Mine', but the list is imported; add it in the app that owns the list, and "
        "name it in `users` of the import"
    )
    Template.from_stack(stack).resource_count_is("AWS::ElastiCache::UserGroup", 0)


# The users of a store are those of its list


def _replication_group(stack: cdk.Stack, network: RedisNetwork) -> tuple[Store, Any, User]:
    store = ReplicationGroup(stack, "Store", network=network)
    return store, store.user_group, elasticache_user(stack, "Mine")


def _serverless_cache(stack: cdk.Stack, network: RedisNetwork) -> tuple[Store, Any, User]:
    store = ServerlessCache(stack, "Store", network=network)
    return store, store.user_group, elasticache_user(stack, "Mine")


def _cluster(stack: cdk.Stack, network: RedisNetwork) -> tuple[Store, Any, User]:
    store = MemoryDbCluster(stack, "Store", network=network)
    return store, store.acl, memorydb_user(stack, "Mine")


@pytest.mark.parametrize("make", [_replication_group, _serverless_cache, _cluster])
def test_a_user_added_to_the_list_of_a_store_can_connect(
    stack: cdk.Stack, network: RedisNetwork, make: Callable[[cdk.Stack, RedisNetwork], tuple[Store, Any, User]]
) -> None:
    store, its_list, user = make(stack, network)
    its_list.add(user)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    store.grant_connect(role, user=user)

    assert store.users is its_list.users
    policies = Template.from_stack(stack).find_resources("AWS::IAM::Policy")
    assert [name for name in policies if name.startswith("RoleDefaultPolicy")]
    app = store.add_iam_user("app", "on ~* +@read")
    assert store.users == [user, app]
