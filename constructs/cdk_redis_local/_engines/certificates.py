"""Temporary certificates, created at run time; only clients that load the CA file trust them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme

from cdk_redis_local._core.errors import full_disk_explained

# Engines announce "localhost"; the addresses are for clients that connect to an IP address.
_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Certificate:
    """A server certificate with its private key, as PEM files."""

    certificate_file: Path
    key_file: Path


class CertificateAuthority:
    """A certificate authority whose files are in a directory.

    ``ca_file`` is the PEM file that clients must trust, for ``SSL_CERT_FILE`` or ``ssl_ca_certs``.
    """

    def __init__(self, directory: Path, name: str = "cdk-redis local cloud") -> None:
        """Create the authority and write it to ``directory``."""
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._authority = trustme.CA(organization_name=name)
        self.ca_file = directory / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca_file))
        key_file = directory / "ca.key"
        key_file.touch(mode=0o600)
        self._authority.private_key_pem.write_to_path(str(key_file))

    @classmethod
    def load(cls, directory: Path) -> CertificateAuthority:
        """Load the authority from this directory."""
        authority = cls.__new__(cls)
        authority._directory = directory
        authority.ca_file = directory / "ca.pem"
        authority._authority = trustme.CA.from_pem(authority.ca_file.read_bytes(), (directory / "ca.key").read_bytes())
        return authority

    @full_disk_explained()
    def issue(self, name: str, *hosts: str) -> Certificate:
        """Issue a certificate for ``localhost`` and these hosts, in files whose names begin with ``name``."""
        issued = self._authority.issue_cert(*_NAMES, *hosts)
        certificate = Certificate(self._directory / f"{name}.crt", self._directory / f"{name}.key")
        issued.private_key_pem.write_to_path(str(certificate.key_file))
        certificate.key_file.chmod(0o600)
        for index, part in enumerate(issued.cert_chain_pems):
            part.write_to_path(str(certificate.certificate_file), append=index > 0)
        return certificate
