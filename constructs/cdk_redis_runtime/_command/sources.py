"""Where ``connect`` and ``token`` find a store: a connection record, a stack's outputs, arguments or variables."""

from __future__ import annotations

import argparse
import os

from redis.credentials import CredentialProvider

from cdk_redis_runtime._client.connect import credential_provider
from cdk_redis_runtime._client.record import ConnectionRecord
from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._command.aws import Aws
from cdk_redis_runtime._command.options import UsageError, add_store, check_serverless, connection_of

_RECORD = "Record"


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a store in one of four ways."""
    where = parser.add_argument_group("where the store is described (default: the variables CDK_REDIS_*)")
    where.add_argument(
        "--record", metavar="PARAMETER|JSON", help="connection record: name or ARN of its SSM parameter, or its JSON"
    )
    where.add_argument("--stack", help="CloudFormation stack with a connection record, or its parameter, in an output")
    where.add_argument(
        "--output", help=f"key of that output; default: the only one that ends in {_RECORD!r} or holds a record"
    )
    where.add_argument("--name", help="name of the binding: ledger for CDK_REDIS_LEDGER_*")
    add_store(parser, required=False)


def find_store(options: argparse.Namespace) -> tuple[Connection, CredentialProvider | None]:
    """Read how to connect from the source that the options name.

    Returns:
        The settings, and how to sign in; None without authentication.

    Raises:
        UsageError: No source or several, or AWS refuses to give it.
        SettingsError: A record or the environment does not describe a store.
    """
    by_arguments = bool(options.host or options.iam or options.password_from or options.user)
    given = [name for name in ("record", "stack", "name") if getattr(options, name) is not None]
    given += ["host"] if by_arguments else []
    if len(given) > 1:
        raise UsageError(f"--{given[0]} cannot be combined with --{given[1]}: give one description of the store")
    if options.output is not None and options.stack is None:
        raise UsageError("--output names an output of a stack: give --stack, too")
    if by_arguments:
        check_serverless(options)
        connection, credentials = connection_of(options)
        return connection, credentials or credential_provider(connection)
    connection = _described(options)
    return connection, credential_provider(connection)


def _described(options: argparse.Namespace) -> Connection:
    if options.record is not None:
        return _from_record(options.record, options)
    if options.stack is not None:
        return _from_record(_output(options), options)
    return Connection.from_environment(os.environ, options.name)


def _from_record(text: str, options: argparse.Namespace) -> Connection:
    return ConnectionRecord.from_json(text if _is_json(text) else _parameter(text, options)).connection


def _is_json(text: str) -> bool:
    return text.lstrip().startswith("{")


def _parameter(name: str, options: argparse.Namespace) -> str:
    answer = Aws.of(options).call("ssm", "get_parameter", f"the SSM parameter {name}", Name=name)
    return str(answer["Parameter"]["Value"])


def _output(options: argparse.Namespace) -> str:
    """The output of a stack that holds a record, or the name of its parameter."""
    what = f"the stack {options.stack}"
    answer = Aws.of(options).call("cloudformation", "describe_stacks", what, StackName=options.stack)
    outputs = {one["OutputKey"]: str(one["OutputValue"]) for one in answer["Stacks"][0].get("Outputs", [])}
    keys = ", ".join(sorted(outputs)) or "none"
    if options.output is not None:
        if options.output not in outputs:
            raise UsageError(f"the stack {options.stack} has no output {options.output}; its outputs: {keys}")
        return outputs[options.output]
    found = [key for key, value in outputs.items() if key.endswith(_RECORD) or _is_json(value)]
    if len(found) != 1:
        raise UsageError(
            f"the stack {options.stack} has {len(found)} outputs with a connection record, and one is needed; its "
            f"outputs: {keys}; name one with --output, or define one: CfnOutput(self, 'ConnectionRecord', "
            "value=store.share(...).parameter.parameter_name)"
        )
    return outputs[found[0]]
