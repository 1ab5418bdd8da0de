"""versioner-ci: tells a release tracker and Slack what every CI pipeline is doing."""

from __future__ import annotations

__version__ = "0.1.0"
