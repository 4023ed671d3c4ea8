"""The service-linked role of MemoryDB, for accounts that do not have it yet.

MemoryDbServiceLinkedRole(self, "MemoryDbRole")

MemoryDB creates the role itself with the first subnet group or cluster of an account, if the caller may use
``iam:CreateServiceLinkedRole`` for ``memorydb.amazonaws.com``. CloudFormation's execution role of a bootstrapped
account has this permission. With a role that does not, the deployment fails with ``ServiceLinkedRoleNotFoundFault``.

An account has the role once, and IAM refuses to create it again, so no other construct creates it. Define it in one
stack of an account that has never used MemoryDB, or run ``aws iam create-service-linked-role --aws-service-name
memorydb.amazonaws.com`` once. ``aws iam get-role --role-name AWSServiceRoleForMemoryDB`` shows whether it exists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.resource import define

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam

# https://docs.aws.amazon.com/memorydb/latest/devguide/using-service-linked-roles.html
_ROLE_NAME = "AWSServiceRoleForMemoryDB"


class MemoryDbServiceLinkedRole(cdk.Resource):
    """The service-linked role ``AWSServiceRoleForMemoryDB``, which exists once in an account.

    Defines one ``AWS::IAM::ServiceLinkedRole``. The role stays when the stack is deleted: clusters of other stacks use
    it, and IAM does not delete it as long as the account has a cluster. To create a cluster after the role, call
    ``cluster.node.add_dependency(role)``.

    Attributes:
        role_name: Name of the role, the same in every account.
        resource: The L1 construct.
    """

    role_name = _ROLE_NAME

    @checked_arguments
    def __init__(self, scope: Construct, id: str) -> None:
        """Define the role, in one stack of an account that does not have it.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_iam as iam

        self.resource: iam.CfnServiceLinkedRole = define(
            iam.CfnServiceLinkedRole, self, "Resource", aws_service_name="memorydb.amazonaws.com"
        )
        self.resource.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
