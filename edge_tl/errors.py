"""Every exception of edge-tl, in one tree.

    EdgeTLError
    ├── ConfigError, ShapeError, NotFittedError, ModelError, ExampleError   (all also ValueError)
    ├── ProfileError (also ValueError)
    │   ├── ProfileMismatch      a profile that was taught with another embedder
    │   └── ProfileLocked        another process is writing to this profile
    ├── SourceError (also OSError)
    │   ├── SourceClosed         no frame will ever come again
    │   └── SourceTimeout        no frame came in time; the next read may succeed
    └── MissingDependency (also ImportError)

Each message is one line: what came, what was wanted, what to do.
"""

from __future__ import annotations


class EdgeTLError(Exception):
    """The root of every error that edge-tl raises on purpose."""


class ConfigError(EdgeTLError, ValueError):
    """A setting that cannot be used."""


class ShapeError(EdgeTLError, ValueError):
    """An array of the wrong shape, dtype or range (NaN included)."""


class NotFittedError(EdgeTLError, ValueError):
    """A head or recognizer was asked before it was taught."""


class ModelError(EdgeTLError, ValueError):
    """A model file or manifest that is missing, damaged, or contradicts itself."""


class ExampleError(EdgeTLError, ValueError):
    """A picture, sound or label that cannot become an example."""


class ProfileError(EdgeTLError, ValueError):
    """A profile that cannot be read or written."""


class ProfileMismatch(ProfileError):
    """A profile that was taught with another embedder than the one at hand."""


class ProfileLocked(ProfileError):
    """A profile that another process is writing to; the message names its PID."""


class SourceError(EdgeTLError, OSError):
    """A camera, microphone or recording that failed; opening it again may help."""


class SourceClosed(SourceError):
    """A source that has ended or was closed: no frame will ever come again."""


class SourceTimeout(SourceError):
    """No frame came in time; the next read may succeed."""


class MissingDependency(EdgeTLError, ImportError):
    """An optional package is not installed; the message holds the exact install command."""
