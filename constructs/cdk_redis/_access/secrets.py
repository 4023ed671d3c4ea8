"""Secrets of users with a password and of AUTH tokens: definition, check and permission to read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from aws_cdk import aws_iam as iam

from cdk_redis._core.presets import encryption_key_of

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_secretsmanager as secretsmanager
    from constructs import Construct

    from cdk_redis._core.errors import Problems

# The services accept 16 to 128 characters.
_PASSWORD_LENGTH = 64
_READ_ACTIONS = ("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret")
_DECRYPT_ACTIONS = ("kms:Decrypt",)
_ROTATE_ACTIONS = (*_READ_ACTIONS, "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage")
# Secrets Manager encrypts each version with another data key.
_ENCRYPT_ACTIONS = (*_DECRYPT_ACTIONS, "kms:GenerateDataKey")


def create_secret(
    scope: Construct, id: str, *, user_name: str, description: str, kms_key: kms.IKey | None
) -> secretsmanager.ISecret:
    """Generate a secret with the keys ``username`` and ``password``.

    Args:
        scope: Construct the secret is defined in.
        id: Id within the scope.
        user_name: Name to sign in with.
        description: Text shown in the console.
        kms_key: Key that encrypts the secret; None for that of a preset, or ``aws/secretsmanager``.
    """
    from aws_cdk import aws_secretsmanager as secretsmanager

    secret = secretsmanager.Secret(
        scope,
        id,
        description=description,
        encryption_key=kms_key or encryption_key_of(scope),
        generate_secret_string=secretsmanager.SecretStringGenerator(
            secret_string_template=json.dumps({"username": user_name}),
            generate_string_key="password",
            password_length=_PASSWORD_LENGTH,
            # The services differ in the punctuation that they accept, and ElastiCache accepts one set when an AUTH
            # token is created and another when it is changed.
            exclude_punctuation=True,
        ),
    )
    # To type checkers, jsii classes do not implement their own interfaces.
    return cast("secretsmanager.ISecret", secret)


def check_secret_key(problems: Problems, secret: object, kms_key: object, kind: str) -> None:
    """Check the key of a generated secret."""
    if kms_key is None:
        return
    if not hasattr(kms_key, "key_arn"):
        problems.add("kms_key", type(kms_key), "a key is a construct of aws_cdk.aws_kms")
    elif kind == "iam":
        problems.add("kms_key", "a key", "an IAM user has no secret", "leave it out")
    elif secret is not None:
        problems.add("kms_key", "a key", "it is for a generated secret, and `secret` is given", "leave it out")


def check_secret(problems: Problems, parameter: str, secret: object) -> None:
    """Add a problem if an optional parameter is not a secret of Secrets Manager."""
    if secret is None or hasattr(secret, "secret_value_from_json"):
        return
    # Only the type: it may be the password itself.
    hint = "import an existing one with secretsmanager.Secret.from_secret_name_v2"
    problems.add(parameter, type(secret), "a secret is a construct of aws_cdk.aws_secretsmanager", hint)


def grant_secret_read(
    secret: secretsmanager.ISecret,
    grantee: iam.IGrantable,
    read: Callable[[str, str], str] = lambda _, value: value,
) -> iam.Grant:
    """Allow a principal to read a secret, and to decrypt it if it has its own KMS key.

    Unlike ``ISecret.grant_read``, this grants the use of the key in the policy of the grantee, not in that of the key:
    ``grant_read`` grants nothing on an imported key, and ends in a dependency cycle if the grantee is in another stack
    than the key. The key's policy must delegate permissions to IAM. The default policy does, and a
    `secretsmanager.Secret` adds this to the policy of each key that is defined in the app.

    Args:
        secret: Generated, given or imported.
        grantee: Principal that reads it.
        read: Returns what the grantee's template contains in place of an ARN; called with the name and the value of
            the ARN. Default: - the ARN itself.
    """
    grant = iam.Grant.add_to_principal_or_resource(
        grantee=grantee,
        actions=list(_READ_ACTIONS),
        resource_arns=[_arn_in_policies(secret, read)],
        resource=cast("iam.IResourceWithPolicyV2", secret),
    )
    key = secret.encryption_key
    if key is None:
        return grant
    decrypt = iam.Grant.add_to_principal(
        grantee=grantee,
        actions=list(_DECRYPT_ACTIONS),
        resource_arns=[read("SecretKeyArn", key.key_arn)],
        conditions=_only_for_secrets(secret),
    )
    return grant.combine(decrypt)


def secret_read_statements(secret: secretsmanager.ISecret) -> list[iam.PolicyStatement]:
    """Statements of a managed policy that allow what `grant_secret_read` does.

    Args:
        secret: Generated, given or imported.
    """
    return _statements(secret, _READ_ACTIONS, _DECRYPT_ACTIONS)


def secret_rotation_statements(secret: secretsmanager.ISecret) -> list[iam.PolicyStatement]:
    """Statements that allow to read a secret, and to add versions to it.

    Args:
        secret: Generated, given or imported.
    """
    return _statements(secret, _ROTATE_ACTIONS, _ENCRYPT_ACTIONS)


def _statements(
    secret: secretsmanager.ISecret, actions: Sequence[str], key_actions: Sequence[str]
) -> list[iam.PolicyStatement]:
    """Statements for a secret, and for its key if it has one."""
    arn = _arn_in_policies(secret, lambda _, value: value)
    statements = [iam.PolicyStatement(actions=list(actions), resources=[arn])]
    if (key := secret.encryption_key) is not None:
        use_key = iam.PolicyStatement(
            actions=list(key_actions), resources=[key.key_arn], conditions=_only_for_secrets(secret)
        )
        statements.append(use_key)
    return statements


def _arn_in_policies(secret: secretsmanager.ISecret, read: Callable[[str, str], str]) -> str:
    arn = read("SecretArn", secret.secret_arn)
    # Secrets Manager appends six random characters to an ARN, which imports by name or by partial ARN do not know.
    return arn if secret.secret_full_arn is not None else f"{arn}-??????"


def _only_for_secrets(secret: secretsmanager.ISecret) -> dict[str, dict[str, str]]:
    return {"StringEquals": {"kms:ViaService": f"secretsmanager.{secret.env.region}.amazonaws.com"}}
