"""Only here to say one thing that pyproject.toml cannot: edge-tl needs a 64-bit system."""

import struct

from setuptools import setup

if struct.calcsize("P") != 8:
    raise SystemExit(
        "edge-tl needs a 64-bit system: this Python is 32-bit. "
        "On a Raspberry Pi, write the 64-bit Raspberry Pi OS to the card (no TFLite runtime exists for 32-bit)."
    )

setup()
