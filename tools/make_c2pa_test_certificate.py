"""Make a certificate chain and key for trying out content credentials: for tests only, nobody trusts it.

    python tools/make_c2pa_test_certificate.py FOLDER

writes FOLDER/chain.pem (signer, then its test authority) and FOLDER/key.pem. Needs the `openssl` command, 1.1.1
or later. The signer's fields are those that the C2PA specification (2.1, section 14.5) asks of a signing certificate.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

_DAYS = "825"
_AUTHORITY = """
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""
_SIGNER = """
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def make(folder: Path) -> tuple[Path, Path]:
    """Write chain.pem and key.pem (ES256, PKCS 8) into `folder`; gives their paths. Raises CalledProcessError."""
    folder.mkdir(parents=True, exist_ok=True)
    chain, key = folder / "chain.pem", folder / "key.pem"
    with tempfile.TemporaryDirectory() as draft:
        room = Path(draft)
        (room / "authority.ext").write_text(_AUTHORITY)
        (room / "signer.ext").write_text(_SIGNER)
        for name in ("authority", "signer"):
            _openssl(
                "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", room / f"{name}.key"
            )
            subject = f"/O=Aquatint tests/CN=Aquatint test {name}"
            _openssl("req", "-new", "-key", room / f"{name}.key", "-subj", subject, "-out", room / f"{name}.csr")
        own = ("-signkey", room / "authority.key")
        _openssl(*_signing("authority", room), *own)
        by_authority = ("-CA", room / "authority.pem", "-CAkey", room / "authority.key", "-CAcreateserial")
        _openssl(*_signing("signer", room), *by_authority)
        chain.write_text((room / "signer.pem").read_text() + (room / "authority.pem").read_text())
        key.write_text((room / "signer.key").read_text())
    key.chmod(0o600)
    return chain, key


def _signing(name: str, room: Path) -> tuple[str | Path, ...]:
    request, extensions, signed = room / f"{name}.csr", room / f"{name}.ext", room / f"{name}.pem"
    return ("x509", "-req", "-in", request, "-sha256", "-days", _DAYS, "-extfile", extensions, "-out", signed)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)  # noqa: S603, S607


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for path in make(Path(sys.argv[1])):
        print(path)
