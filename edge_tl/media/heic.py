"""HEIC, as iPhones take pictures: told by content, decoded by pi-heif where that is installed. The home of pi_heif."""

from __future__ import annotations

from functools import cache

from edge_tl.errors import to_install

_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def is_heic(data: bytes) -> bool:
    """Whether a file's bytes say so, whatever it is called."""
    return data[4:8] == b"ftyp" and data[8:12] in _BRANDS


@cache
def register_heic() -> bool:
    """Let Pillow open such files from now on; False where pi-heif is not installed."""
    try:
        import pi_heif
    except (ImportError, OSError):  # OSError: its library does not fit this system
        return False
    pi_heif.register_heif_opener()
    return True


def unread_heic() -> str:
    """Why such a file is not read, and what to do, without its name."""
    if register_heic():
        return "is damaged (HEIC that ends too early); copy or take it again"
    return f"is HEIC, which pi-heif reads: save or send it as JPEG, or {to_install('[phone]')}"
