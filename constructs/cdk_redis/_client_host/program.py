#!/usr/bin/python3
"""Sign in to the store of this host with valkey-cli: connect-to-store [COMMAND [ARGUMENT ...]].

Without a command, it starts valkey-cli as a prompt. The IAM token or the password is in the environment of valkey-cli,
not among its arguments. A token is valid for 15 minutes: start the program again if valkey-cli must sign in again.

Runs with the Python 3.9 of Amazon Linux 2023, which has no package that signs tokens, and no internet to get one.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request

SETTINGS = pathlib.Path(os.environ.get("CDK_REDIS_SETTINGS", "/etc/cdk-redis/store.json"))
METADATA = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254").rstrip("/")


def main(arguments: list[str]) -> None:
    """Replace this process with valkey-cli."""
    program = shutil.which("valkey-cli")
    if program is None:
        sys.exit("valkey-cli is not installed; see /var/log/cloud-init-output.log, and try: sudo dnf install -y valkey")
    store: dict[str, str] = json.loads(SETTINGS.read_text())
    words = [program, "-h", store["CDK_REDIS_HOST"], "-p", store["CDK_REDIS_PORT"]]
    if store["CDK_REDIS_TLS"] == "true":
        words.append("--tls")
    if store["CDK_REDIS_CLUSTER_MODE"] == "true":
        words.append("-c")
    environment = dict(os.environ)
    kind = store["CDK_REDIS_AUTHENTICATION"]
    if kind != "none":
        words += ["--user", store["CDK_REDIS_USER"]]
        secret = token(store, credentials()) if kind == "iam" else password(store)
        # Before version 9, valkey-cli reads only the second; later versions prefer the first.
        environment["VALKEYCLI_AUTH"] = environment["REDISCLI_AUTH"] = secret
    os.execve(program, words + arguments, environment)  # noqa: S606 - a list of words, without a shell


def password(store: dict[str, str]) -> str:
    """Read the secret with the AWS CLI, which is part of Amazon Linux."""
    command = ["aws", "secretsmanager", "get-secret-value", "--region", store["CDK_REDIS_REGION"], "--output", "text"]
    command += ["--query", "SecretString", "--secret-id", store["CDK_REDIS_SECRET_ARN"]]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit("the password could not be read from Secrets Manager")
    return str(json.loads(done.stdout)["password"])


def credentials() -> list[str | None]:
    """Find AWS credentials: in the environment, or the role of this instance."""
    if "AWS_ACCESS_KEY_ID" in os.environ:
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        return [os.environ.get(name) for name in names]
    session = metadata("api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    headers = {"X-aws-ec2-metadata-token": session}
    role = metadata("meta-data/iam/security-credentials/", headers=headers).strip()
    found = json.loads(metadata("meta-data/iam/security-credentials/" + role, headers=headers))
    return [found[name] for name in ("AccessKeyId", "SecretAccessKey", "Token")]


def metadata(path: str, headers: dict[str, str], method: str = "GET") -> str:
    """Ask the instance metadata service, version 2."""
    request = urllib.request.Request(f"{METADATA}/latest/{path}", headers=headers, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        return str(answer.read().decode())


def token(store: dict[str, str], keys: list[str | None]) -> str:
    """Sign an IAM token: a presigned URL without its scheme, with the name of the store as its host."""
    key_id, secret_key, session_token = (key or "" for key in keys)
    name, service = store["CDK_REDIS_STORE"].lower(), store["CDK_REDIS_SERVICE"]
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = [now[:8], store["CDK_REDIS_REGION"], service, "aws4_request"]
    query = {
        "Action": "connect",
        "User": store["CDK_REDIS_USER"],
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "/".join([key_id, *scope]),
        "X-Amz-Date": now,
        "X-Amz-Expires": "900",
        "X-Amz-SignedHeaders": "host",
    }
    if store.get("CDK_REDIS_SERVERLESS") == "true":
        query["ResourceType"] = "ServerlessCache"
    if session_token:
        query["X-Amz-Security-Token"] = session_token
    text = "&".join(f"{key}={urllib.parse.quote(query[key], safe='-_.~')}" for key in sorted(query))
    nothing = hashlib.sha256(b"").hexdigest()
    request = hashlib.sha256(f"GET\n/\n{text}\nhost:{name}\n\nhost\n{nothing}".encode()).hexdigest()
    signature = ("AWS4" + secret_key).encode()
    for part in [*scope, "\n".join(["AWS4-HMAC-SHA256", now, "/".join(scope), request])]:
        signature = hmac.new(signature, part.encode(), hashlib.sha256).digest()
    return f"{name}/?{text}&X-Amz-Signature={signature.hex()}"


if __name__ == "__main__":
    main(sys.argv[1:])
