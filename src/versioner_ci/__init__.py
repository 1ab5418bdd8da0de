"""versioner-ci: tells a release tracker and Slack what every CI pipeline is doing."""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["RejectedError", "Reporter", "UsageError", "VersionerError", "__version__"]

_HOME = {
    "RejectedError": "errors",
    "Reporter": "reporter",
    "UsageError": "errors",
    "VersionerError": "errors",
}


def __getattr__(name: str) -> object:
    """The public names, imported on use: the command must start in milliseconds."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see above

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
