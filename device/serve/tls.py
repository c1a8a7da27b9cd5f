"""TLS to a broker, and in a line what went wrong on the way there."""

from __future__ import annotations

import re
import socket
import ssl

from device.serve.config import MqttConfig
from device.serve.private_files import check_closed
from edge_tl.errors import ConfigError

_HINTS = {
    "self-signed certificate": "give ca_file",
    "unable to get local issuer certificate": "give ca_file",
    "certificate is not yet valid": "is this machine's clock right?",
    "wrong version number": "does this port speak TLS?",
    "record layer failure": "does this port speak TLS?",
    "eof occurred": "does this port speak TLS?",
    "reset by peer": "does this port speak TLS?",
    "certificate required": "give client_cert and client_key",
}


class TlsConnection(ssl.SSLSocket):
    """Closes itself where the handshake fails; the client leaves it to whoever clears up."""

    def do_handshake(self, block: bool = False) -> None:
        """As of SSLSocket."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def context_of(config: MqttConfig) -> ssl.SSLContext:
    """The certificates that a configuration names; ConfigError where they cannot be used, or the key is open to all."""
    where: object = "ca_file"
    try:
        context = ssl.create_default_context(cafile=config.ca_file)
        context.sslsocket_class = TlsConnection
        if config.ca_file is not None:  # Python 3.13 wants extensions that authorities of one's own mostly lack
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if config.client_cert is not None and config.client_key is not None:
            where = "client_cert"
            check_closed(config.client_key, "client_key")
            # A key with a password would be asked for at the terminal.
            context.load_cert_chain(config.client_cert, config.client_key, password=lambda: "")
    except (OSError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        place = config.ca_file if where == "ca_file" else f"{config.client_cert} with {config.client_key}"
        raise ConfigError(f"{where} {place} cannot be used ({_words(error)}): check [mqtt]") from error
    return context


def why_not(error: Exception, tls: bool) -> str:
    """Why there is no connection, in the words of TLS, the system or the name server. tls: whether it is wanted."""
    if isinstance(error, ssl.SSLError) or (tls and isinstance(error, ConnectionResetError)):
        return tls_said(_words(error))
    if isinstance(error, socket.gaierror):
        return f"the name is not known ({error.strerror})"
    if isinstance(error, ConnectionRefusedError):
        return f"no broker answers there ({error.strerror})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"no way there ({_words(error)})"


def tls_said(words: str) -> str:
    """What TLS says, with what helps."""
    hint = next((hint for known, hint in _HINTS.items() if known in words.lower()), "")
    return f"TLS: {words}" + (f": {hint}" if hint else "")


def _words(error: Exception) -> str:
    """Without the place in Python's source."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return bare(said) or type(error).__name__


def bare(said: str) -> str:
    """An error of OpenSSL without its names: `[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)`."""
    return re.sub(r"^\[[^\]]*\] *| *\(_ssl\.c:\d+\)$", "", " ".join(said.split())).rstrip(".")
