"""A Lambda layer with the client of a store.

::

    function.add_layers(RedisClientLayer(self, "Client"))
"""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_redis._code.package import client_files, code_of
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.weak_reference import refer_weakly


class RedisClientLayer(lambda_.LayerVersion):
    """A layer with redis-py and ``cdk_redis_runtime``, for functions that have no room for them in their own code.

    It has the files that `runtime_code` adds to a function's folder, copied at synth from the Python environment of the
    app, without Docker and network. The layer changes only when they change. It is for Arm and x86 functions, because
    both packages are pure Python, and for Python 3.11 and newer.

    Define it in the stack of the functions, so that they get the new layer when it changes. A stack needs only one, see
    `IStore.client_layer`. A function of another stack reads it without an export: CloudFormation would not change a
    layer that another stack imports.

    Defines one ``AWS::Lambda::LayerVersion``.
    """

    @checked_arguments
    def __init__(self, scope: Construct, id: str) -> None:
        """Define the layer.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.

        Raises:
            ConfigurationError: If the scope has a construct with that id.
        """
        super().__init__(
            scope,
            id,
            # Lambda unpacks layers below /opt, and Python finds what is in /opt/python.
            code=code_of(client_files("python")),
            description="redis-py and cdk_redis_runtime",
            license="Apache-2.0 AND MIT",
            compatible_runtimes=[
                lambda_.Runtime.PYTHON_3_11,
                lambda_.Runtime.PYTHON_3_12,
                lambda_.Runtime.PYTHON_3_13,
                lambda_.Runtime.PYTHON_3_14,
            ],
            compatible_architectures=[lambda_.Architecture.ARM_64, lambda_.Architecture.X86_64],
        )
        refer_weakly(self)
