"""Secrets of a stack: GenerateSecretString generates text as on AWS."""

from __future__ import annotations

import json
import string

import pytest

from tests.local.support.clouds import Cloud, StackFailedError

_KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation)
_EXCLUDED = "abc/'@"


def _generate(cloud: Cloud, **properties: object) -> str:
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": properties}}
    arn = cloud.deploy("secret", {"Secret": secret}, {"Arn": {"Ref": "Secret"}})["Arn"]
    text = cloud.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    cloud.delete("secret")
    return str(text)


@pytest.mark.parametrize(
    ("properties", "length", "allowed"),
    [
        ({}, 32, "".join(_KINDS)),
        ({"PasswordLength": 128}, 128, "".join(_KINDS)),
        # CloudFormation also passes numbers and booleans as text.
        ({"PasswordLength": "64", "ExcludePunctuation": "true"}, 64, string.ascii_letters + string.digits),
        ({"PasswordLength": 400, "ExcludePunctuation": True}, 400, string.ascii_letters + string.digits),
        ({"PasswordLength": 400, "ExcludeNumbers": True}, 400, string.ascii_letters + string.punctuation),
        ({"PasswordLength": 400, "ExcludeUppercase": True}, 400, "".join((_KINDS[0], *_KINDS[2:]))),
        ({"PasswordLength": 400, "ExcludeLowercase": True}, 400, "".join(_KINDS[1:])),
        ({"PasswordLength": 400, "ExcludeCharacters": _EXCLUDED}, 400, set("".join(_KINDS)) - set(_EXCLUDED)),
        ({"PasswordLength": 400, "IncludeSpace": True}, 400, "".join(_KINDS) + " "),
        ({"PasswordLength": 400, "IncludeSpace": True, "ExcludeCharacters": " "}, 400, "".join(_KINDS)),
    ],
)
def test_a_generated_secret_has_the_declared_length_and_characters(
    cloud: Cloud, properties: dict[str, object], length: int, allowed: str
) -> None:
    text = _generate(cloud, **properties)
    assert len(text) == length
    assert set(text) <= set(allowed)


@pytest.mark.parametrize("attempt", range(3))
def test_each_kind_of_character_is_included_unless_that_is_disabled(cloud: Cloud, attempt: int) -> None:
    text = _generate(cloud, PasswordLength=4)
    assert all(set(text) & set(kind) for kind in _KINDS), text
    assert " " in _generate(cloud, PasswordLength=5, IncludeSpace=True)
    only = _generate(cloud, PasswordLength=1, RequireEachIncludedType=False)
    assert len(only) == 1


def test_a_template_keeps_its_keys_and_gets_the_generated_one(cloud: Cloud) -> None:
    text = _generate(
        cloud,
        SecretStringTemplate='{"username": "app"}',
        GenerateStringKey="password",
        PasswordLength=48,
        ExcludePunctuation=True,
    )
    found = json.loads(text)
    assert found["username"] == "app"
    assert len(found["password"]) == 48
    assert found["password"].isalnum()


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"PasswordLength": 0}, "PasswordLength must be between 1 and 4096"),
        ({"PasswordLength": 5000}, "PasswordLength must be between 1 and 4096"),
        ({"PasswordLength": 2}, "PasswordLength too short"),
        ({"SecretStringTemplate": "no JSON", "GenerateStringKey": "password"}, "SecretStringTemplate"),
        ({"SecretStringTemplate": "{}"}, "GenerateStringKey"),
    ],
)
def test_properties_that_aws_refuses_fail_the_stack(cloud: Cloud, properties: dict[str, object], reason: str) -> None:
    with pytest.raises(StackFailedError, match=reason):
        _generate(cloud, **properties)
    cloud.delete("secret")


def test_an_update_generates_a_new_secret_only_when_generate_secret_string_changes(cloud: Cloud) -> None:
    def deploy(length: int, description: str) -> str:
        properties = {"Description": description, "GenerateSecretString": {"PasswordLength": length}}
        secret = {"Type": "AWS::SecretsManager::Secret", "Properties": properties}
        arn = cloud.deploy("updated", {"Secret": secret}, {"Arn": {"Ref": "Secret"}})["Arn"]
        return str(cloud.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])

    first = deploy(40, "one")
    assert deploy(40, "two") == first
    second = deploy(41, "two")
    assert len(second) == 41
    assert second != first
    cloud.delete("updated")
