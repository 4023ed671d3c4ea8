"""Access strings: their rules, their text, and what is rejected."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

from cdk_redis import AccessString, ConfigurationError

PASSWORD = "a-throw-away-password"
COMMAND_FORMS = 'a command looks like "get", a subcommand like "cluster|slots", a category like "@read"'


# Rules


def test_an_access_string_is_built_rule_by_rule():
    access = AccessString.on().keys("app:*", "shared:*").channels("news:*").allow("@read", "GET").deny("config|set")
    assert str(access) == "on ~app:* ~shared:* &news:* +@read +get -config|set"


def test_building_leaves_other_values_unchanged():
    start = AccessString.on()
    assert start.keys("app:*") == AccessString.from_text("on ~app:*")
    assert str(start) == "on"
    assert hash(start.keys("a")) == hash(AccessString.from_text("on ~a"))


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
    assert AccessString.from_text(text) == access


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
def test_text_is_read_and_normalised(text: str, normal: str):
    assert str(AccessString.from_text(text)) == normal


# Rejected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "~*",
            "rules: got '', but an access string contains either on or off; "
            "AWS treats one with neither as off: add on or off",
        ),
        (
            "on off",
            "rules: got 'on off', but an access string contains either on or off; "
            "AWS treats one with neither as off: add on or off",
        ),
        (
            "on nopass",
            "rule: got 'nopass', but AWS rejects password rules in an access string; "
            "leave it out; `authentication` decides how the user signs in",
        ),
        (
            "on resetpass",
            "rule: got 'resetpass', but AWS rejects password rules in an access string; "
            "leave it out; `authentication` decides how the user signs in",
        ),
        (
            "on reset",
            "rule: got 'reset', but AWS rejects reset rules in an access string; "
            "leave it out; a user starts without permissions",
        ),
        (
            "on RESETKEYS",
            "rule: got 'resetkeys', but AWS rejects reset rules in an access string; "
            "leave it out; a user starts without permissions",
        ),
        (
            "on resetchannels",
            "rule: got 'resetchannels', but AWS rejects reset rules in an access string; "
            "leave it out; a user starts without permissions",
        ),
        (
            "on +@search",
            "rule: got '+@search', but the categories are admin, all, bitmap, blocking, connection, dangerous, fast, "
            "geo, hash, hyperloglog, keyspace, list, pubsub, read, scripting, set, slow, sortedset, stream, string, "
            "transaction, write",
        ),
        ("on ~", "rule: got '~', but a pattern is text without white space, such as \"~app:*\""),
        ("on &", "rule: got '&', but a pattern is text without white space, such as \"~app:*\""),
        (
            "on +",
            f"rule: got '+', but {COMMAND_FORMS}",
        ),
        (
            "on +config|get|x",
            f"rule: got '+config|get|x', but {COMMAND_FORMS}",
        ),
        (
            "on get",
            "rule: got 'get', but a rule is on, off, a ~key or &channel pattern, or +/- with a command or @category; "
            "for rules newer than this library, use AccessString.unchecked",
        ),
        (
            "on %X~a",
            "rule: got '%x~a', but a rule is on, off, a ~key or &channel pattern, or +/- with a command or @category; "
            "for rules newer than this library, use AccessString.unchecked",
        ),
        ("on ~* ~a", "rule: got '~a', but an earlier rule allows all keys already; leave out this rule or ~*"),
        ("on allkeys %R~a", "rule: got '%R~a', but an earlier rule allows all keys already; leave out this rule or ~*"),
        ("on &* &a", "rule: got '&a', but an earlier rule allows all channels already; leave out this rule or &*"),
    ],
)
def test_rules_that_aws_or_the_engine_rejects_are_rejected(text: str, message: str):
    with pytest.raises(ConfigurationError) as raised:
        AccessString.from_text(text)
    assert str(raised.value) == f"AccessString: {message}"


@pytest.mark.parametrize("sign", [">", "<", "#", "!"])
def test_a_password_is_rejected_and_not_repeated(sign: str):
    with pytest.raises(ConfigurationError) as raised:
        AccessString.from_text(f"on ~* +@all {sign}{PASSWORD}")
    assert str(raised.value) == (
        f"AccessString: rule: got '{sign}...', but AWS rejects password rules in an access string; "
        "leave it out; `authentication` decides how the user signs in"
    )


def test_all_problems_are_reported_at_once():
    with pytest.raises(ConfigurationError) as raised:
        AccessString.from_text("nopass ~ +@x")
    assert len(raised.value.problems) == 4


@pytest.mark.parametrize("pattern", ["", " ", "a b", "a\tb", "a\n", "a\u00a0b", "a\0", None, 5])
@pytest.mark.parametrize(("method", "kind"), [("keys", "key"), ("channels", "channel")])
def test_a_pattern_with_white_space_is_rejected(method: str, kind: str, pattern: Any):
    with pytest.raises(ConfigurationError) as raised:
        getattr(AccessString.on(), method)(pattern)
    assert str(raised.value) == (
        f"AccessString.{method}: patterns: got {pattern!r}, but a {kind} pattern is text "
        'without white space, such as "app:*"'
    )


def test_ready_made_access_strings_need_a_pattern():
    with pytest.raises(ConfigurationError) as raised:
        AccessString.read_write()
    assert str(raised.value) == (
        'AccessString.read_write: patterns: got (), but at least one key pattern is required; "*" allows all'
    )


@pytest.mark.parametrize("command", ["", "+get", "get set", "|slots", "a|b|c", "get\n", None, ("get",)])
@pytest.mark.parametrize("method", ["allow", "deny"])
def test_an_invalid_command_is_rejected(method: str, command: Any):
    with pytest.raises(ConfigurationError) as raised:
        getattr(AccessString.on(), method)(command)
    assert str(raised.value) == (f"AccessString.{method}: commands: got {command!r}, but {COMMAND_FORMS}")


def test_allow_needs_a_command():
    with pytest.raises(ConfigurationError) as raised:
        AccessString.on().allow()
    assert str(raised.value) == "AccessString.allow: commands: got (), but at least one command or category is required"


@pytest.mark.parametrize("prefix", ["", "a*", "a b", "a[b]", "\\", None])
def test_an_invalid_smoke_test_prefix_is_rejected(prefix: Any):
    with pytest.raises(ConfigurationError) as raised:
        AccessString.smoke_test(prefix)
    assert str(raised.value) == (
        f"AccessString.smoke_test: key_prefix: got {prefix!r}, but a prefix is text without tokens, white space "
        r"or the pattern characters * ? [ ] \ in it"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [(None, "None"), (5, "5"), ("", "''"), (" \n", "' \\n'"), (["on", ">secret"], "<class 'list'>")],
)
def test_an_access_string_is_text(text: Any, shown: str):
    with pytest.raises(ConfigurationError) as raised:
        AccessString.from_text(text)
    assert str(raised.value) == (
        f"AccessString.from_text: text: got {shown}, but an access string is text such as 'on ~app:* +@read'"
    )


@pytest.mark.parametrize("rules", [None, "on ~*", ["on", ">secret"], ("on", 5)])
def test_rules_are_a_tuple_of_strings(rules: Any):
    with pytest.raises(ConfigurationError) as raised:
        AccessString(rules)
    assert str(raised.value) == (
        f"AccessString: rules: got {type(rules)}, but the rules are a tuple of strings; "
        "for text, use AccessString.from_text"
    )


# Tokens and unchecked rules


def test_tokens_pass():
    stack = cdk.Stack()
    assert stack.resolve(str(AccessString.from_text(cdk.Fn.ref("Access")))) == {"Ref": "Access"}
    assert stack.resolve(str(AccessString.on().keys(f"{cdk.Fn.ref('App')}:*").allow("@read"))) == {
        "Fn::Join": ["", ["on ~", {"Ref": "App"}, ":* +@read"]]
    }
    assert stack.resolve(str(AccessString.on().allow(cdk.Fn.ref("Command")))) == {
        "Fn::Join": ["", ["on +", {"Ref": "Command"}]]
    }


def test_rules_next_to_a_token_are_checked():
    with pytest.raises(ConfigurationError, match=r"rule: got '>[.]{3}'"):
        AccessString.from_text(f"on ~{cdk.Fn.ref('App')}:* >{PASSWORD}")
    with pytest.raises(ConfigurationError, match=r"rule: got '>[.]{3}'"):
        AccessString.from_text(f"on ~* >{cdk.Fn.ref('Password')}")


def test_unchecked_rules_are_passed_on_unchanged():
    assert str(AccessString.unchecked("on ~* +@search (~a +get)").allow("get")) == "on ~* +@search (~a +get) +get"
