"""Code of functions: redis-py and cdk_redis_runtime, copied from the Python environment, and files of the user.

Both are pure Python, and the Lambda runtime has botocore, so synth needs no Docker, no network and no pip.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_

CLIENT_PACKAGES = ("cdk_redis_runtime", "redis")
"""The packages that `client_files` finds."""

# The CDK CLI keeps the modes of files in the zip, and Lambda runs the function as a user who does not own them. The
# modes in a checkout and in a virtual environment depend on the umask.
_FOLDER_MODE, FILE_MODE, PROGRAM_MODE = 0o755, 0o644, 0o755
CACHE = "__pycache__"


@dataclass(frozen=True, order=True)
class PackageFile:
    """A file of an asset.

    Attributes:
        path: Path in the asset.
        source: The file with its content.
        mode: Mode in the asset.
    """

    path: PurePosixPath
    source: Path
    mode: int = FILE_MODE


def client_files(folder: str = "") -> list[PackageFile]:
    """The files of redis-py and of cdk_redis_runtime.

    Args:
        folder: Folder of the asset that they are put in. Default: - the top of the asset.
    """
    found = [file for package in CLIENT_PACKAGES for file in _sources(folder, package)]
    # redis-py reads its version from its metadata, and sends it to the server.
    distribution = metadata.distribution("redis")
    path = PurePosixPath(folder, f"redis-{distribution.version}.dist-info", "METADATA")
    return [*found, PackageFile(path, _metadata_file(distribution))]


def code_of(files: Iterable[PackageFile]) -> lambda_.Code:
    """Copy files to a temporary folder, and make an asset of it.

    The hash of the asset is a digest of the paths, contents and modes of its files. It is the same for the same code on
    every machine: it does not depend on times, owners and modes of the sources.

    Args:
        files: The files, in any order.
    """
    from aws_cdk import AssetHashType
    from aws_cdk import aws_lambda as lambda_

    folder = Path(tempfile.mkdtemp(prefix="cdk-redis-"))
    code_hash = hashlib.sha256()
    for file in sorted(files):
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        content = file.source.read_bytes()
        target.write_bytes(content)
        target.chmod(file.mode)
        code_hash.update(f"{file.path}\0{file.mode:o}\0{len(content)}\0".encode())
        code_hash.update(content)
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(_FOLDER_MODE)
    code = lambda_.Code.from_asset(str(folder), asset_hash=code_hash.hexdigest(), asset_hash_type=AssetHashType.CUSTOM)
    # The constructor of a function copies the folder; its code is not used after that.
    weakref.finalize(code, shutil.rmtree, folder)
    return code


def _sources(folder: str, package: str) -> list[PackageFile]:
    spec = util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is not installed: pip install cdk-redis", name=package)
    root = Path(next(iter(spec.submodule_search_locations)))
    return [
        PackageFile(PurePosixPath(folder, package, source.relative_to(root).as_posix()), source)
        for source in root.rglob("*.py")
    ]


def _metadata_file(distribution: metadata.Distribution) -> Path:
    for file in distribution.files or ():
        if file.name == "METADATA":
            return Path(str(distribution.locate_file(file)))
    raise FileNotFoundError("the redis distribution has no METADATA file: install it again")
