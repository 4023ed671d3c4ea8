"""MemoryDB's access control lists, and the users in them, on their own and shared."""

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


def waits_for(stack: cdk.Stack, resource_type: str = "AWS::MemoryDB::User") -> dict[str, list[str]]:
    """By the name of a user's construct, the constructs that CloudFormation makes before it."""
    resources = Template.from_stack(stack).find_resources(resource_type)
    of = {name: name[:-8] for name in Template.from_stack(stack).find_resources("AWS::MemoryDB::User")}
    return {of.get(name, name): [of[on] for on in r.get("DependsOn", []) if on in of] for name, r in resources.items()}


def test_a_list_refers_to_its_users(stack: cdk.Stack) -> None:
    one, two = iam_user(stack, "One"), iam_user(stack, "Two")
    acl = Acl(stack, "Acl", users=[one])
    acl.add(two)

    (properties,) = Template.from_stack(stack).find_resources("AWS::MemoryDB::ACL").values()
    references = [{"Ref": stack.get_logical_id(user.resource)} for user in (one, two)]
    assert properties["Properties"]["UserNames"] == references
    assert acl.users == [one, two]
    assert properties["Properties"]["ACLName"].startswith("stack-acl")


def test_a_user_on_its_own_has_all_that_the_service_asks_for(stack: cdk.Stack) -> None:
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


def test_users_are_changed_one_after_the_other_in_the_order_of_their_making(stack: cdk.Stack) -> None:
    one, two, three = (iam_user(stack, name) for name in ("One", "Two", "Three"))
    Acl(stack, "Acl", users=[three, one, two])

    assert waits_for(stack) == {"One": [], "Two": ["One"], "Three": ["One", "Two"]}


def test_two_lists_that_share_users_do_not_let_them_wait_for_each_other(stack: cdk.Stack) -> None:
    one, two = iam_user(stack, "One"), iam_user(stack, "Two")
    Acl(stack, "Acl", users=[one, two])
    Acl(stack, "Other", users=[two, one])

    assert waits_for(stack) == {"One": [], "Two": ["One"]}


def test_a_list_takes_users_of_a_stack_before_it(stack: cdk.Stack) -> None:
    later = cdk.Stack(stack.node.scope, "Later", env=cdk.Environment(account=stack.account, region=stack.region))
    Acl(later, "Acl", users=[iam_user(stack, "One"), iam_user(later, "Two"), iam_user(stack, "Three")])

    assert waits_for(later) == {"Two": []}
    assert [dependency.stack_name for dependency in later.dependencies] == [stack.stack_name]


def test_a_user_is_in_a_list_once(stack: cdk.Stack) -> None:
    one = iam_user(stack, "One")
    acl = Acl(stack, "Acl", users=[one])

    with pytest.raises(ConfigurationError) as caught:
        acl.add(one)
    assert str(caught.value) == "Stack/Acl: user: got 'Stack/One', but the list has it already"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Acl", f"acl_name: got 'Acl', but {LEGAL}"),
        ("a" * 41, f"acl_name: got '{'a' * 41}', but {LEGAL}"),
        (
            "open-access",
            "acl_name: got 'open-access', but this list is the service's own; a cluster gets it by "
            "`unsafe_open_access`",
        ),
    ],
)
def test_a_name_that_no_list_can_have_is_refused(stack: cdk.Stack, name: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Acl(stack, "Acl", acl_name=name)
    assert str(caught.value) == f"Stack/Acl: {message}"


def test_a_name_given_by_hand_is_honoured(stack: cdk.Stack) -> None:
    Acl(stack, "Acl", acl_name="app")

    Template.from_stack(stack).has_resource_properties("AWS::MemoryDB::ACL", {"ACLName": "app", "UserNames": []})


def test_an_imported_list_is_used_and_not_changed(stack: cdk.Stack) -> None:
    known = MemoryDbUser.from_user_attributes(stack, "Known", user_name="known")
    acl = Acl.from_acl_name(stack, "Acl", "theirs", users=[known])

    assert (acl.acl_name, acl.users) == ("theirs", [known])
    with pytest.raises(ConfigurationError) as caught:
        acl.add(iam_user(stack, "Mine"))
    assert str(caught.value) == (
        "Stack/Acl: user: got 'Stack/Mine', but the list is imported; add it where the list is defined, import it "
        "with `from_user_attributes`, and name it in `users`"
    )
    Template.from_stack(stack).resource_count_is("AWS::MemoryDB::ACL", 0)


def test_an_imported_list_has_a_legal_name(stack: cdk.Stack) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Acl.from_acl_name(stack, "Acl", "Theirs")
    assert str(caught.value) == f"Stack/Acl: acl_name: got 'Theirs', but {LEGAL}"
