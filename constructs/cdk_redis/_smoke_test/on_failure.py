"""What a failed smoke test does to the deployment."""

from __future__ import annotations

from cdk_redis._core.choice import Choice


class OnFailure(Choice):
    """What a failed smoke test does to the deployment.

    In both cases, the report says that the test failed: ``cdk-redis report`` prints it, and exits with 1.
    """

    FAIL = "fail"
    """The deployment fails, and CloudFormation rolls it back."""
    WARN = "warn"
    """The deployment succeeds; an alarm goes off, which the next successful run ends, and the log has a warning."""
