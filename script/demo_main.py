"""`script/demo`: plays the sample pipeline and prints what the tracker and Slack received."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from script.demo_pipeline import CHANNEL, KEY, STEPS, FailedError, Step, environment, play, repository
from tests.support.fake_slack import FakeSlack
from tests.support.recorder import Received, Recorder
from tests.support.slack_model import Message

_HEAD = ("time (UTC)", "event", "product", "version", "environment", "state", "answer")
_SAID = {200: "accepted before", 201: "accepted", 409: "rejected"}


def main(arguments: list[str]) -> int:
    """0 if the pipeline went as it should."""
    if arguments not in ([], ["--once"]):
        print("usage: script/demo [--once]", file=sys.stderr)
        return 2
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        with tempfile.TemporaryDirectory(prefix="versioner-ci-demo-") as folder:
            _play_all(Path(folder))
    except FailedError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read along has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _play_all(folder: Path) -> None:
    with Recorder(key=KEY) as tracker, FakeSlack() as slack:
        slack.add_channel(CHANNEL, "C0DEPLOYS1")
        tracker.reject(
            environment="finance",
            rule_name="month-end-freeze",
            message="No deployments at month's end",
            retry_after=7200,
        )
        where, env = repository(folder), environment(folder, tracker, slack)
        print(
            f"A sample pipeline in a new repository, reporting to a tracker and a Slack on this machine.\n"
            f"tracker {tracker.url}   Slack {slack.url}   channel {CHANNEL}",
            flush=True,
        )
        for number, step in enumerate(STEPS, 1):
            print(*_told(number, step, play(step, where, env, tracker)), sep="\n", flush=True)
        print("\nWhat the tracker received\n")
        print(*_table(_HEAD, map(_row, tracker.requests)), sep="\n")
        print(f"\nSlack, {CHANNEL}, as it now stands\n")
        print(*(line for message in slack.messages(CHANNEL) for line in _message(message)), sep="\n")
        print(
            "\nOne message for each build and deployment, edited as it moved on; a failure or an abort replies in its "
            "thread\nand in the channel. Next: README.md",
            flush=True,
        )


def _told(number: int, step: Step, printed: str) -> Iterator[str]:
    yield f"\n{number}. {step.title}"
    yield f"   $ versioner-ci {shlex.join(step.arguments)}"
    yield from (f"   {line}" for line in printed.splitlines())
    yield f"   exit code {step.code}"


def _row(request: Received) -> tuple[str, ...]:
    body = request.body
    time = str(request.metadata.get("vi_occurred_at", ""))[11:23]
    answer = _SAID.get(request.answered or 0, f"HTTP {request.answered}")
    return (
        time,
        request.kind,
        str(body.get("product_name")),
        str(body.get("version")),
        str(body.get("environment_name") or "–"),
        request.state,
        answer,
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in [head, tuple("─" * width for width in widths), *lines[1:]]:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _message(message: Message) -> Iterator[str]:
    edits = f"   (edited {'once' if message.edits == 1 else f'{message.edits} times'})" if message.edits else ""
    yield f"  {message.text}{edits}"
    for reply in message.replies:
        yield f"    ↳ {reply.text}{'   (also sent to the channel)' if reply.is_broadcast else ''}"
        for attachment in reply.attachments:
            for block in attachment["blocks"]:
                yield from (f"        {line}" for line in _excerpt(block))


def _excerpt(block: Mapping[str, Any]) -> list[str]:
    """The lines of an error, as the message quotes it."""
    text = str(block["text"]["text"]) if block["type"] == "section" else ""
    return text.strip("`\n").splitlines() if text.startswith("```") else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
