"""`edge-tl remove-service`: see install_service."""

from device.commands.install_service import run

__all__ = ["run"]
