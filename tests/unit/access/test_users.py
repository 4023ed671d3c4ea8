"""Users that are defined without a store, and users that are imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Template

from cdk_redis import AccessString, Authentication, ConfigurationError, ElastiCacheUser, Engine, MemoryDbUser

IAM, PASSWORD = Authentication.iam(), Authentication.password()
LEGAL = (
    "a name has 1 to 40 lower-case letters, digits and single hyphens, begins with a letter "
    "and does not end with a hyphen; leave it out to have a unique name generated"
)

Define = Callable[..., Any]


def elasticache_user(stack: cdk.Stack, **given: Any) -> ElastiCacheUser:
    return ElastiCacheUser(
        stack, "App", **{"engine": "valkey:8.1", "access": "on ~* +@read", "authentication": IAM, **given}
    )


def memorydb_user(stack: cdk.Stack, **given: Any) -> MemoryDbUser:
    return MemoryDbUser(stack, "App", **{"access": "on ~* +@read", "authentication": IAM, **given})


BOTH = pytest.mark.parametrize("define", [elasticache_user, memorydb_user])


def properties(stack: cdk.Stack) -> dict[str, Any]:
    template = Template.from_stack(stack)
    users = template.find_resources("AWS::ElastiCache::User") or template.find_resources("AWS::MemoryDB::User")
    (user,) = users.values()
    return dict(user["Properties"])


def an_imported_secret(stack: cdk.Stack) -> secretsmanager.ISecret:
    return secretsmanager.Secret.from_secret_name_v2(stack, "Secret", "secret")


# Names


@BOTH
@pytest.mark.parametrize("name", ["a user", "-app", "a" * 41])
def test_an_invalid_name_is_rejected(name: str, define: Define, stack: cdk.Stack) -> None:
    with pytest.raises(ConfigurationError) as caught:
        define(stack, user_name=name)
    assert str(caught.value) == f"Stack/App: user_name: got {name!r}, but {LEGAL}"


@BOTH
@pytest.mark.parametrize("name", ["a", "a" * 40])
def test_a_name_has_1_to_40_characters(name: str, define: Define, stack: cdk.Stack) -> None:
    assert define(stack, user_name=name).user_name == name


@BOTH
def test_a_name_is_generated_from_the_path(define: Define, stack: cdk.Stack) -> None:
    assert define(stack).user_name.startswith("stack-app")


@pytest.mark.parametrize(
    ("given", "user_name", "user_id"),
    [
        ({"user_name": "app"}, "app", "app"),
        ({"user_id": "app"}, "app", "app"),
        ({"user_name": "app", "user_id": "orders-app"}, "app", "orders-app"),
        ({"user_name": "default", "user_id": "orders-default"}, "default", "orders-default"),
        ({"user_name": "default"}, "default", "stack-app-d106a309"),
    ],
)
def test_a_password_user_of_elasticache_can_have_another_name_than_its_id(
    stack: cdk.Stack, given: dict[str, str], user_name: str, user_id: str
) -> None:
    user = elasticache_user(stack, authentication="password", **given)

    assert (user.user_name, properties(stack)["UserName"]) == (user_name, user_name)
    assert (user.user_id, properties(stack)["UserId"]) == (user_id, user_id)
    assert user.user_arn.endswith(f":user:{user_id}")
    (secret,) = Template.from_stack(stack).find_resources("AWS::SecretsManager::Secret").values()
    template = secret["Properties"]["GenerateSecretString"]["SecretStringTemplate"]
    assert template == f'{{"username": "{user_name}"}}'


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"user_name": "app", "user_id": "orders-app"},
            "user_name: got 'app', but an IAM user has the same name and id, and the id is 'orders-app'; "
            "leave out one of the two, or use a password",
        ),
        (
            {"user_name": "default"},
            "user_name: got 'default', but an IAM user has the same name and id, and the id is 'stack-app-d106a309'; "
            "leave out one of the two, or use a password",
        ),
        (
            {"user_id": "default"},
            "user_id: got 'default', but ElastiCache has a user with this id; leave it out to have a unique id "
            "generated",
        ),
        ({"user_id": "App"}, f"user_id: got 'App', but {LEGAL}"),
    ],
)
def test_an_id_that_elasticache_rejects_is_rejected(stack: cdk.Stack, given: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        elasticache_user(stack, **given)
    assert str(caught.value) == f"Stack/App: {message}"


# How a user signs in


@BOTH
@pytest.mark.parametrize("authentication", ["iam", IAM])
def test_an_iam_user_has_no_secret(define: Define, authentication: Any, stack: cdk.Stack) -> None:
    assert define(stack, authentication=authentication).secret is None
    assert properties(stack)["AuthenticationMode"] == {"Type": "iam"}


@BOTH
@pytest.mark.parametrize("authentication", ["password", PASSWORD])
def test_a_password_user_has_a_generated_secret(define: Define, authentication: Any, stack: cdk.Stack) -> None:
    assert define(stack, authentication=authentication).secret is not None
    mode = properties(stack)["AuthenticationMode"]
    assert mode["Type"] == "password"
    assert "{{resolve:secretsmanager:" in str(mode["Passwords"])


@BOTH
def test_a_password_user_has_the_given_secret(define: Define, stack: cdk.Stack) -> None:
    secret = an_imported_secret(stack)
    assert define(stack, authentication=Authentication.password(secret)).secret is secret
    Template.from_stack(stack).resource_count_is("AWS::SecretsManager::Secret", 0)


@BOTH
@pytest.mark.parametrize("authentication", ["auth-token", Authentication.auth_token()])
def test_a_user_has_no_auth_token(define: Define, authentication: Any, stack: cdk.Stack) -> None:
    with pytest.raises(ConfigurationError) as caught:
        define(stack, authentication=authentication)
    assert str(caught.value) == (
        "Stack/App: authentication: got 'auth-token', but a user signs in with IAM or a password; "
        "only a replication group can have an AUTH token"
    )


@BOTH
@pytest.mark.parametrize(
    "authentication", [None, True, 5, float("nan"), b"iam", ["iam"], "", "IAM", "hunter2", Engine.valkey("8.1")]
)
def test_another_authentication_is_rejected(define: Define, authentication: Any, stack: cdk.Stack) -> None:
    with pytest.raises(ConfigurationError, match="Stack/App: authentication: ") as caught:
        define(stack, authentication=authentication)
    assert "hunter2" not in str(caught.value)


def test_all_problems_of_a_user_are_reported_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ElastiCacheUser(stack, "App", engine="", access="", authentication="", user_name="")  # type: ignore[arg-type]
    assert [found.split(":")[0] for found in caught.value.problems] == [
        *("engine", "access", "authentication", "user_name")
    ]


@pytest.mark.parametrize(
    ("engine", "authentication", "message"),
    [
        ("redis:5.0.6", PASSWORD, "engine: got 'redis 5.0.6', but users need Redis OSS 6.0 or newer, or Valkey"),
        (
            "redis:6.2",
            IAM,
            "authentication: got 'iam', but redis 6.2 has no IAM users, which need Redis OSS 7.0 or newer, or Valkey "
            "7.2 or newer; use a password",
        ),
        (None, PASSWORD, "engine: got None, but it takes Engine or text such as 'valkey:8.1'"),
    ],
)
def test_an_engine_without_such_users_is_rejected(
    engine: Any, authentication: Authentication, message: str, stack: cdk.Stack
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        elasticache_user(stack, engine=engine, authentication=authentication)
    assert str(caught.value) == f"Stack/App: {message}"


def test_a_user_has_its_parameters_as_attributes(stack: cdk.Stack) -> None:
    user = elasticache_user(stack, authentication="iam")
    assert (user.engine, user.access, user.authentication) == (
        Engine.valkey("8.1"),
        AccessString.on().keys("*").allow("@read"),
        IAM,
    )


# The value


@pytest.mark.parametrize(
    ("text", "value"), [("iam", IAM), ("password", PASSWORD), ("auth-token", Authentication.auth_token())]
)
def test_an_authentication_is_read_from_text(text: str, value: Authentication) -> None:
    assert Authentication.from_text(text) == value


@pytest.mark.parametrize("text", ["IAM", "", "hunter2", None, 5, ["iam"]])
def test_text_of_an_authentication_is_one_of_three(text: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Authentication.from_text(text)
    assert str(caught.value) == (
        f"Authentication.from_text: text: got {type(text)}, but an authentication is 'iam', 'password', "
        "'auth-token'; for an existing password, use Authentication.password(secret)"
    )


@pytest.mark.parametrize("secret", ["hunter2", cdk.SecretValue.unsafe_plain_text("hunter2"), 5, b"hunter2"])
@pytest.mark.parametrize("make", [Authentication.password, Authentication.auth_token])
def test_a_password_instead_of_a_secret_is_rejected(make: Callable[[Any], Authentication], secret: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(secret)
    assert str(caught.value) == (
        f"Authentication: secret: got {type(secret)}, but a secret is a construct of aws_cdk.aws_secretsmanager; "
        "import an existing one with secretsmanager.Secret.from_secret_name_v2"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"version_id": "one"}, "version_id: got 'one', but a generated secret has one version only; "),
        ({"generation": 0}, "generation: got 0, but a generation is 1 to 1000000"),
        ({"generation": None}, "generation: got None, but a generation is a number that is known at synth"),
        ({"generation": True}, "generation: got True, but a generation is 1 to 1000000"),
        (
            {"secret": True, "generation": 2},
            "generation: got 2, but an existing secret has versions, not generations; ",
        ),
    ],
)
def test_the_parameters_of_an_auth_token_go_together(stack: cdk.Stack, given: dict[str, Any], message: str) -> None:
    if "secret" in given:
        given = {**given, "secret": an_imported_secret(stack)}
    with pytest.raises(ConfigurationError) as caught:
        Authentication.auth_token(**given)
    assert str(caught.value).startswith(f"Authentication: {message}")


@pytest.mark.parametrize("kind", ["IAM", "", None, 5])
def test_an_authentication_has_a_known_kind(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"kind: got .*, but the kinds are iam, password, auth-token"):
        Authentication(kind)


# Imports and rotation


@pytest.mark.parametrize("user_class", [ElastiCacheUser, MemoryDbUser])
def test_an_import_takes_a_name_and_a_secret(
    user_class: type[ElastiCacheUser | MemoryDbUser], stack: cdk.Stack
) -> None:
    secret = an_imported_secret(stack)
    user = user_class.from_user_attributes(stack, "App", user_name="app", secret=secret)
    assert (user.user_name, user.secret) == ("app", secret)


@pytest.mark.parametrize("user_class", [ElastiCacheUser, MemoryDbUser])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"user_name": "an app"}, "user_name: got 'an app', but a name is text without white space"),
        ({"user_name": "app", "secret": "hunter2"}, "secret: got text, but it takes secretsmanager.ISecret; import it"),
    ],
)
def test_an_invalid_import_is_rejected(
    user_class: type[ElastiCacheUser | MemoryDbUser], given: Any, message: str, stack: cdk.Stack
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        user_class.from_user_attributes(stack, "App", **given)
    assert str(caught.value).startswith(f"Stack/App: {message}")
