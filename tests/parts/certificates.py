"""A certificate of TLS, made by openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


def certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """The key and the certificate of a name in a folder; the test is skipped where openssl makes none."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key),
             "-out", str(cert)],
            capture_output=True,
            check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"openssl cannot make a certificate: {error}")
    return key, cert


def authority(folder: Path) -> Path:
    """A folder with one's own authority (`ca.pem`) and what it signed: `server` for localhost, and `client`."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    try:
        _openssl(folder, "req", "-x509", *key, "-subj", "/CN=home", "-keyout", "ca.key", "-out", "ca.pem")
        for name, more in (("server", "subjectAltName=DNS:localhost"), ("client", "extendedKeyUsage=clientAuth")):
            _openssl(folder, "req", *key, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
            (folder / f"{name}.ext").write_text(more)
            _openssl(
                *(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
                *("-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem"),
            )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"openssl cannot make a certificate: {error}")
    return folder


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, capture_output=True, check=True)
