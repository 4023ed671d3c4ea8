"""MemoryDB's access control lists. The rules for their users are in tests/unit/access/test_user_lists.py."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from cdk_redis import AccessString, Acl, Authentication, ConfigurationError, MemoryDbUser

LEGAL = (
    "a name has 1 to 40 lower-case letters, digits and single hyphens, begins with a letter "
    "and does not end with a hyphen"
)


def iam_user(stack: cdk.Stack, name: str) -> MemoryDbUser:
    access = AccessString.read_only(f"{name.lower()}:*")
    return MemoryDbUser(stack, name, access=access, authentication=Authentication.iam())


def test_a_list_refers_to_its_users(stack: cdk.Stack) -> None:
    one, two = iam_user(stack, "One"), iam_user(stack, "Two")
    acl = Acl(stack, "Acl", users=[one])
    acl.add(two)

    (properties,) = Template.from_stack(stack).find_resources("AWS::MemoryDB::ACL").values()
    references = [{"Ref": stack.get_logical_id(user.resource)} for user in (one, two)]
    assert properties["Properties"]["UserNames"] == references
    assert acl.users == [one, two]
    assert properties["Properties"]["ACLName"].startswith("stack-acl")


def test_a_user_has_all_properties_that_memorydb_requires(stack: cdk.Stack) -> None:
    user = MemoryDbUser(
        stack,
        "User",
        access=AccessString.read_write("app:*"),
        authentication=Authentication.password(),
        user_name="app",
    )

    (resource,) = Template.from_stack(stack).find_resources("AWS::MemoryDB::User").values()
    properties = resource["Properties"]
    assert (properties["UserName"], properties["AccessString"]) == ("app", str(AccessString.read_write("app:*")))
    assert properties["AuthenticationMode"]["Type"] == "password"
    assert "resolve:secretsmanager" in str(properties["AuthenticationMode"]["Passwords"])
    assert user.secret is not None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Acl", f"acl_name: got 'Acl', but {LEGAL}"),
        ("a" * 41, f"acl_name: got '{'a' * 41}', but {LEGAL}"),
        (
            "open-access",
            "acl_name: got 'open-access', but MemoryDB has a list of this name; for open access, give the cluster "
            "`unsafe_open_access`",
        ),
    ],
)
def test_an_invalid_name_is_rejected(stack: cdk.Stack, name: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Acl(stack, "Acl", acl_name=name)
    assert str(caught.value) == f"Stack/Acl: {message}"


def test_the_list_has_the_given_name(stack: cdk.Stack) -> None:
    Acl(stack, "Acl", acl_name="app")

    Template.from_stack(stack).has_resource_properties("AWS::MemoryDB::ACL", {"ACLName": "app", "UserNames": []})


def test_an_imported_list_is_used_and_not_changed(stack: cdk.Stack) -> None:
    known = MemoryDbUser.from_user_attributes(stack, "Known", user_name="known")
    acl = Acl.from_acl_name(stack, "Acl", "theirs", users=[known])

    assert (acl.acl_name, acl.users) == ("theirs", [known])
    with pytest.raises(ConfigurationError) as caught:
        acl.add(iam_user(stack, "Mine"))
    assert str(caught.value) == (
        "Stack/Acl: user: got 'Stack/Mine', but the list is imported; add it in the app that owns the list, and "
        "name it in `users` of the import"
    )
    Template.from_stack(stack).resource_count_is("AWS::MemoryDB::ACL", 0)


def test_an_invalid_name_of_an_import_is_rejected(stack: cdk.Stack) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Acl.from_acl_name(stack, "Acl", "Theirs")
    assert str(caught.value) == f"Stack/Acl: acl_name: got 'Theirs', but {LEGAL}"
