"""The one place where TensorFlow is imported: on first use, and without its chatter."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from edge_tl.errors import MissingDependency, to_install


def tensorflow() -> Any:
    """The tensorflow package; MissingDependency with the install command where it is not installed."""
    # Both are read when TensorFlow's libraries are loaded; a user who sets them has a reason.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    with silence():
        try:
            return importlib.import_module("tensorflow")
        except ImportError as error:
            raise MissingDependency(
                f"TensorFlow is not installed, and converting needs it: {to_install('[host]')}"
            ) from error


def keras() -> Any:
    """Keras 3, as TensorFlow brings it; MissingDependency where TensorFlow is not installed."""
    return tensorflow().keras


def versions() -> dict[str, str]:
    """The versions of the tools that make a model."""
    return {"tensorflow": str(tensorflow().__version__), "keras": str(keras().__version__)}


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Send what C++ writes to file descriptors 1 and 2 meanwhile into the void, and drop Python's warnings.

    TensorFlow's converter and XLA log from C++, below the reach of `logging`. Exceptions pass through.
    """
    saved = []
    void = os.open(os.devnull, os.O_WRONLY)
    for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
        with contextlib.suppress(OSError):  # a closed descriptor has nothing to silence
            saved.append((os.dup(descriptor), descriptor))
            os.dup2(void, descriptor)
    os.close(void)
    try:
        # Keras' export prints from Python, to whatever sys.stdout is.
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        for copy, descriptor in saved:
            os.dup2(copy, descriptor)
            os.close(copy)
