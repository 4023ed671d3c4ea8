"""The right to read a user's secret: of everybody who signs in with a password or an AUTH token."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from aws_cdk import aws_secretsmanager as secretsmanager


def grant_secret_read(
    secret: secretsmanager.ISecret,
    grantee: iam.IGrantable,
    read: Callable[[str, str], str] = lambda _, value: value,
) -> iam.Grant:
    """Let someone read a secret, and decrypt it where it has a KMS key of its own.

    As ``ISecret.grant_read``, but for the key. That method writes the grantee into the key's policy: it grants nothing
    on a key that is imported, and ends in a dependency cycle where the grantee is in another stack than the key. Here
    the grantee's own policy has the permission. The key's policy must leave such permissions to IAM, as the default one
    does, and as a `secretsmanager.Secret` makes the policy of each key that is defined in the app.

    Args:
        secret: Generated, given or imported.
        grantee: Who reads it.
        read: Called with a name and an ARN of the secret, gives what stands for it in the grantee's template.
            Default: - the ARN itself.
    """
    arn = read("SecretArn", secret.secret_arn)
    grant = iam.Grant.add_to_principal_or_resource(
        grantee=grantee,
        actions=["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
        # Secrets Manager ends an ARN with six characters that an import by name or by a partial ARN does not know.
        resource_arns=[arn if secret.secret_full_arn is not None else f"{arn}-??????"],
        resource=cast("iam.IResourceWithPolicyV2", secret),
    )
    key = secret.encryption_key
    if key is None:
        return grant
    decrypt = iam.Grant.add_to_principal(
        grantee=grantee,
        actions=["kms:Decrypt"],
        resource_arns=[read("SecretKeyArn", key.key_arn)],
        conditions={"StringEquals": {"kms:ViaService": f"secretsmanager.{secret.env.region}.amazonaws.com"}},
    )
    return grant.combine(decrypt)
