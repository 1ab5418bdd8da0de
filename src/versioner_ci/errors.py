"""What can end a command: class, exit code, and what to do next."""

from __future__ import annotations

EXIT_OK = 0
EXIT_FAULT = 1
EXIT_USAGE = 2
EXIT_UNDELIVERED = 4
EXIT_REJECTED = 5

EXIT_CODES: tuple[tuple[str, str], ...] = (
    ("0", "fine; also a delivery that failed while `--fail-on-error` is off"),
    ("1", "a fault of versioner-ci itself"),
    ("2", "wrong usage; `doctor`: something needs mending"),
    ("4", "a delivery failed and `--fail-on-error` is on"),
    ("5", "the tracker's rules rejected the deployment"),
    ("129 / 130 / 143", "interrupted by SIGHUP / SIGINT / SIGTERM"),
)


class VersionerError(Exception):
    """A fault of versioner-ci itself; `fix` is one sentence on what to do."""

    exit_code = EXIT_FAULT

    def __init__(self, message: str, *, fix: str | None = None) -> None:
        super().__init__(message)
        self.fix = fix

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} ({self.fix})" if self.fix else message


class UsageError(VersionerError):
    """Something typed is wrong: a word, a flag, a time, metadata, a file."""

    exit_code = EXIT_USAGE


class RejectedError(VersionerError):
    """The tracker's rules do not let this deployment start."""

    exit_code = EXIT_REJECTED


class Interrupted(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived; the exit code is 128 + its number."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum
        self.exit_code = 128 + signum
