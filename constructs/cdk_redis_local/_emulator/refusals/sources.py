"""Where the words of the refusals are documented, or were seen by others."""

from __future__ import annotations

_PREFLIGHT = "https://github.com/badmintoncryer/cdk-preflight/tree/main/rules"


def deployed(service: str, rule: str) -> str:
    """Words that cdk-preflight took from a real deployment."""
    return f"{_PREFLIGHT}/{service}/pf-{service}-{rule}"


def terraform(issue: int) -> str:
    """Words in an issue of Terraform's provider."""
    return f"https://github.com/hashicorp/terraform-provider-aws/issues/{issue}"


ELASTICACHE_API = "https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/"
MEMORYDB_API = "https://docs.aws.amazon.com/memorydb/latest/APIReference/"
MEMORYDB_ACLS = "https://docs.aws.amazon.com/memorydb/latest/devguide/clusters.acls.html"
RBAC = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html"
UNSEEN = "; AWS documents the rule, the words were not seen"
