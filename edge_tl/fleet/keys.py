"""Who signs: Ed25519 keys, kept in a file and told as text. Home of cryptography."""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib
import os
from pathlib import Path
from typing import Any

from edge_tl.errors import ConfigError, MissingDependency, to_install
from edge_tl.files import UnnamedFile, read_limited

KEY_BYTES, SIGNATURE_BYTES = 32, 64
ID_CHARACTERS = 16


class DeviceKey:
    """The key by which one device signs; whoever has its file can sign in its name."""

    def __init__(self, seed: bytes) -> None:
        """seed: 32 secret bytes. MissingDependency without the package cryptography."""
        self._private = _ed25519().Ed25519PrivateKey.from_private_bytes(seed)
        self.public: bytes = self._private.public_key().public_bytes_raw()
        """What others know it by, 32 bytes."""

    @property
    def id(self) -> str:
        """As `key_id` of the public key."""
        return key_id(self.public)

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, 64 bytes; the same each time."""
        return bytes(self._private.sign(message))


def key_of(path: Path) -> DeviceKey:
    """The key in a file, made there where there is none; ConfigError where it can be neither read nor kept.

    It is its owner's alone (mode 0600), and a file that others may read is refused.
    """
    try:
        try:
            text = read_limited(path, 200).decode("ascii", "replace").strip()
        except FileNotFoundError:
            return _made(path)
        if path.stat().st_mode & 0o007:
            raise ConfigError(f"{path} is readable by everybody: chmod 0600 {path}")
    except OSError as error:
        raise ConfigError(
            f"the key of this device cannot be stored in {path} ({error.strerror or error}): free some space, or "
            "check the rights of the folder"
        ) from error
    try:
        return DeviceKey(_decoded(text))
    except ValueError as error:
        raise ConfigError(f"{path} contains no valid key: delete it, and a new one is created") from error


def _made(path: Path) -> DeviceKey:
    """A new one, on disk whole or not at all; of two that make it at once both use the one that was first."""
    seed = os.urandom(KEY_BYTES)
    key = DeviceKey(seed)
    try:
        with UnnamedFile(path.parent) as new:
            new.file.write(base64.b64encode(seed) + b"\n")
            new.name_it(path)
    except FileExistsError:
        return key_of(path)
    return key


def key_text(public: bytes) -> str:
    """A public key as a person copies it, 44 characters."""
    return base64.b64encode(public).decode()


def parse_key(text: str) -> bytes:
    """The public key of such a text; ConfigError where it is none."""
    try:
        return _decoded(text.strip())
    except ValueError:
        raise ConfigError(
            f"{text[:60]!a} is not a valid key: copy the 44 characters that `edge-tl fleet keys` prints on that device"
        ) from None


def _decoded(text: str) -> bytes:
    """ValueError for what is not 32 bytes, written in the one way there is."""
    try:
        made = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError(text) from error
    if len(made) != KEY_BYTES or key_text(made) != text:
        raise ValueError(text)
    return made


def key_id(public: bytes) -> str:
    """What a device is called in topics: sixteen hexadecimal digits of its public key."""
    return hashlib.sha256(public).hexdigest()[:ID_CHARACTERS]


def signed_by(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether this key signed the message. MissingDependency without the package cryptography."""
    ed25519 = _ed25519()
    invalid = importlib.import_module("cryptography.exceptions").InvalidSignature
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (invalid, ValueError):
        return False
    return True


def _ed25519() -> Any:
    try:
        return importlib.import_module("cryptography.hazmat.primitives.asymmetric.ed25519")
    except ImportError as error:
        raise MissingDependency(f"a fleet needs the package cryptography: {to_install('[fleet]')}") from error
