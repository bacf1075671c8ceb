"""TLS for both front ends: certificates that are read anew when their files change, and client certificates."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcgraph.servers.file_changes import FileChanges
from calcgraph.servers.model_config import ConfigError

if TYPE_CHECKING:
    import grpc

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tls:
    """The files, all of them PEM. With `client_ca` only clients with a certificate of that authority may connect."""

    certificate: Path
    """The server's, and those between it and the root."""
    private_key: Path
    client_ca: Path | None = None

    @property
    def files(self) -> Sequence[Path]:
        return [file for file in (self.certificate, self.private_key, self.client_ca) if file]

    def read(self) -> ssl.SSLContext:
        """Raises ConfigError when the files are no certificate and its key."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.private_key, password=_no_password)
            if self.client_ca is not None:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(self.client_ca)
        except (OSError, ValueError) as error:
            names = ", ".join(map(str, self.files))
            raise ConfigError(f"TLS: {names}: {error}") from None
        return context


def server_context(tls: Tls) -> ssl.SSLContext:
    """A context whose new connections use the files as they are now. Raises ConfigError."""
    entrance, current, changes = tls.read(), tls.read(), FileChanges(*tls.files)

    def choose(connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        nonlocal current
        if changes.happened():
            current = _read_anew(tls) or current
        connection.context = current

    entrance.sni_callback = choose  # called in every handshake, with a name or without
    return entrance


def grpc_credentials(tls: Tls) -> grpc.ServerCredentials:
    """The same for gRPC. Raises ConfigError."""
    import grpc

    tls.read()
    changes = FileChanges(*tls.files)

    def changed() -> Any:
        return _grpc_files(tls) if changes.happened() and _read_anew(tls) else None

    return grpc.dynamic_ssl_server_credentials(
        _grpc_files(tls), changed, require_client_authentication=tls.client_ca is not None
    )


def _grpc_files(tls: Tls) -> Any:
    import grpc

    pair = (tls.private_key.read_bytes(), tls.certificate.read_bytes())
    authority = tls.client_ca.read_bytes() if tls.client_ca else None
    return grpc.ssl_server_certificate_configuration([pair], authority)


def _read_anew(tls: Tls) -> ssl.SSLContext | None:
    """None, and a line in the log, while the files do not fit together: one may be written before the other."""
    try:
        context = tls.read()
    except ConfigError as error:
        log.error("the certificate stays as it was: %s", error)
        return None
    log.info("the certificate was read anew from %s", tls.certificate)
    return context


def _no_password() -> str:
    raise ValueError("the private key is encrypted; expected one without a password")
