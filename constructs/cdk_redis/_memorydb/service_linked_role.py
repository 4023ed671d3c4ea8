"""The role with which MemoryDB makes network interfaces in an account, for accounts that have none yet.

MemoryDbServiceLinkedRole(self, "MemoryDbRole")

The service makes it by itself, at the first subnet group or cluster of an account, if whoever deploys may call
``iam:CreateServiceLinkedRole`` for ``memorydb.amazonaws.com``; CloudFormation's execution role of a bootstrapped
account may, a narrower one perhaps not, and then the deploy ends in ``ServiceLinkedRoleNotFoundFault``. An account has
the role once, and IAM refuses to make it again: so no construct here makes it unasked. Define it in one stack of an
account that has never seen MemoryDB, or run once ``aws iam create-service-linked-role --aws-service-name
memorydb.amazonaws.com``. Whether it is there, ``aws iam get-role --role-name AWSServiceRoleForMemoryDB`` tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam

# https://docs.aws.amazon.com/memorydb/latest/devguide/using-service-linked-roles.html
_ROLE_NAME = "AWSServiceRoleForMemoryDB"


class MemoryDbServiceLinkedRole(cdk.Resource):
    """The role ``AWSServiceRoleForMemoryDB``, which an account has once.

    Defines one ``AWS::IAM::ServiceLinkedRole``. It outlives the stack: the clusters of other stacks need it, and IAM
    refuses to delete it as long as one is there. A cluster that must wait for it takes ``cluster.node.add_dependency``.

    Attributes:
        role_name: Its name, the same in every account.
        resource: The L1 construct.
    """

    role_name = _ROLE_NAME

    def __init__(self, scope: Construct, id: str) -> None:
        """Define the role, in one stack of an account that does not have it.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_iam as iam

        self.resource: iam.CfnServiceLinkedRole = iam.CfnServiceLinkedRole(
            self, "Resource", aws_service_name="memorydb.amazonaws.com"
        )
        self.resource.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
