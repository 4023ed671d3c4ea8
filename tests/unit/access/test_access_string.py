from typing import Any

import aws_cdk as cdk
import pytest

from cdk_redis._access.access_string import AccessString
from cdk_redis._core.errors import ConfigurationError

PASSWORD = "a-throw-away-password"


# What the rules are


def test_an_access_string_is_built_rule_by_rule():
    access = AccessString.on().keys("app:*", "shared:*").channels("news:*").allow("@read", "GET").deny("config|set")
    assert str(access) == "on ~app:* ~shared:* &news:* +@read +get -config|set"


def test_building_changes_no_other_value():
    start = AccessString.on()
    assert start.keys("app:*") == AccessString.of("on ~app:*")
    assert str(start) == "on"
    assert hash(start.keys("a")) == hash(AccessString.of("on ~a"))


@pytest.mark.parametrize(
    ("access", "text"),
    [
        (AccessString.on(), "on"),
        (AccessString.off(), "off -@all"),
        (AccessString.all_access(), "on ~* &* +@all"),
        (
            AccessString.read_write("app:*"),
            "on ~app:* +@all -@admin -@dangerous +info +cluster|slots +cluster|shards +cluster|nodes",
        ),
        (
            AccessString.read_only("a:*", "b:*"),
            "on ~a:* ~b:* +@read +@connection +@transaction -@admin -@dangerous "
            "+info +cluster|slots +cluster|shards +cluster|nodes",
        ),
    ],
)
def test_ready_made_access_strings(access: AccessString, text: str):
    assert str(access) == text
    assert AccessString.of(text) == access


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("on ~app:* -@all +@read", "on ~app:* -@all +@read"),
        ("  ON\t~App:*\n+@READ +GET ", "on ~App:* +@read +get"),
        ("off allkeys allchannels allcommands", "off allkeys allchannels allcommands"),
        ("on %R~a %rw~b &c:* +select|0 +json.get +ft._list", "on %R~a %rw~b &c:* +select|0 +json.get +ft._list"),
        ("on ~* allkeys &* allchannels", "on ~* allkeys &* allchannels"),
    ],
)
def test_of_reads_what_aws_takes(text: str, normal: str):
    assert str(AccessString.of(text)) == normal


# What is refused


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "rules: got '', but an access string says either on or off; AWS takes neither as off, so say which"),
        (
            "on off",
            "rules: got 'on off', but an access string says either on or off; AWS takes neither as off, so say which",
        ),
        (
            "on nopass",
            "rule: got 'nopass', but AWS takes no passwords in an access string; "
            "leave it out; the user's authentication says how it signs in",
        ),
        (
            "on resetpass",
            "rule: got 'resetpass', but AWS takes no passwords in an access string; "
            "leave it out; the user's authentication says how it signs in",
        ),
        (
            "on reset",
            "rule: got 'reset', but AWS takes no resets in an access string; "
            "leave it out; every user starts with nothing",
        ),
        (
            "on RESETKEYS",
            "rule: got 'resetkeys', but AWS takes no resets in an access string; "
            "leave it out; every user starts with nothing",
        ),
        (
            "on resetchannels",
            "rule: got 'resetchannels', but AWS takes no resets in an access string; "
            "leave it out; every user starts with nothing",
        ),
        (
            "on +@search",
            "rule: got '+@search', but the categories are admin, all, bitmap, blocking, connection, dangerous, fast, "
            "geo, hash, hyperloglog, keyspace, list, pubsub, read, scripting, set, slow, sortedset, stream, string, "
            "transaction, write",
        ),
        ("on ~", "rule: got '~', but a pattern is not empty and has no white space, such as \"~app:*\""),
        ("on &", "rule: got '&', but a pattern is not empty and has no white space, such as \"~app:*\""),
        (
            "on +",
            'rule: got \'+\', but a command reads "get", a subcommand "cluster|slots", a category "@read"',
        ),
        (
            "on +config|get|x",
            'rule: got \'+config|get|x\', but a command reads "get", a subcommand "cluster|slots", a category "@read"',
        ),
        (
            "on get",
            "rule: got 'get', but a rule is on, off, a ~key or &channel pattern, or +/- with a command or @category; "
            "for rules newer than this library see AccessString.unchecked",
        ),
        (
            "on %X~a",
            "rule: got '%x~a', but a rule is on, off, a ~key or &channel pattern, or +/- with a command or @category; "
            "for rules newer than this library see AccessString.unchecked",
        ),
        ("on ~* ~a", "rule: got '~a', but all keys are allowed before it already; leave out this or ~*"),
        ("on allkeys %R~a", "rule: got '%R~a', but all keys are allowed before it already; leave out this or ~*"),
        ("on &* &a", "rule: got '&a', but all channels are allowed before it already; leave out this or &*"),
    ],
)
def test_of_refuses_what_aws_or_the_engine_refuses(text: str, message: str):
    with pytest.raises(ConfigurationError) as raised:
        AccessString.of(text)
    assert str(raised.value) == f"AccessString: {message}"


@pytest.mark.parametrize("sign", [">", "<", "#", "!"])
def test_a_password_in_the_text_is_refused_and_not_repeated(sign: str):
    with pytest.raises(ConfigurationError) as raised:
        AccessString.of(f"on ~* +@all {sign}{PASSWORD}")
    assert str(raised.value) == (
        f"AccessString: rule: got '{sign}...', but AWS takes no passwords in an access string; "
        "leave it out; the user's authentication says how it signs in"
    )


def test_all_problems_are_told_at_once():
    with pytest.raises(ConfigurationError) as raised:
        AccessString.of("nopass ~ +@x")
    assert len(raised.value.problems) == 4


@pytest.mark.parametrize("pattern", ["", " ", "a b", "a\tb", "a\n", "a\u00a0b", "a\0", None, 5])
@pytest.mark.parametrize(("method", "kind"), [("keys", "key"), ("channels", "channel")])
def test_a_pattern_that_is_not_one_word_is_refused(method: str, kind: str, pattern: Any):
    with pytest.raises(ConfigurationError) as raised:
        getattr(AccessString.on(), method)(pattern)
    assert str(raised.value) == (
        f"AccessString.{method}: patterns: got {pattern!r}, but a {kind} pattern is not empty "
        'and has no white space, such as "app:*"'
    )


def test_ready_made_access_needs_a_pattern():
    with pytest.raises(ConfigurationError) as raised:
        AccessString.read_write()
    assert str(raised.value) == (
        'AccessString.read_write: patterns: got (), but at least one key pattern is needed, "*" for all'
    )


@pytest.mark.parametrize("command", ["", "+get", "get set", "|slots", "a|b|c", "get\n", None, ("get",)])
@pytest.mark.parametrize("method", ["allow", "deny"])
def test_what_is_no_command_is_refused(method: str, command: Any):
    with pytest.raises(ConfigurationError) as raised:
        getattr(AccessString.on(), method)(command)
    assert str(raised.value) == (
        f'AccessString.{method}: commands: got {command!r}, but a command reads "get", '
        'a subcommand "cluster|slots", a category "@read"'
    )


def test_allowing_nothing_is_refused():
    with pytest.raises(ConfigurationError) as raised:
        AccessString.on().allow()
    assert str(raised.value) == "AccessString.allow: commands: got (), but at least one command or category is needed"


@pytest.mark.parametrize("prefix", ["", "a*", "a b", "a[b]", "\\", None])
def test_a_smoke_test_prefix_is_no_pattern(prefix: Any):
    with pytest.raises(ConfigurationError) as raised:
        AccessString.smoke_test(prefix)
    assert str(raised.value) == (
        f"AccessString.smoke_test: key_prefix: got {prefix!r}, but a prefix is known text with no white space "
        r"and none of the characters * ? [ ] \ of patterns"
    )


@pytest.mark.parametrize("text", [None, 5, ["on"]])
def test_of_takes_text(text: Any):
    with pytest.raises(ConfigurationError) as raised:
        AccessString.of(text)
    assert str(raised.value) == (
        f'AccessString.of: text: got {text!r}, but an access string is text, such as "on ~app:* +@read"'
    )


# The ways past


def test_tokens_pass():
    stack = cdk.Stack()
    assert stack.resolve(str(AccessString.of(cdk.Fn.ref("Access")))) == {"Ref": "Access"}
    assert stack.resolve(str(AccessString.on().keys(f"{cdk.Fn.ref('App')}:*").allow("@read"))) == {
        "Fn::Join": ["", ["on ~", {"Ref": "App"}, ":* +@read"]]
    }


def test_unchecked_goes_to_aws_as_it_is():
    assert str(AccessString.unchecked("on ~* +@search (~a +get)").allow("get")) == "on ~* +@search (~a +get) +get"
