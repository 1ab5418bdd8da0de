"""`script/demo`: `versioner-ci demo` with a Slack on this machine, and what that Slack received."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.fake_slack import FakeSlack
from tests.support.slack_model import Message
from versioner_ci import demo

CHANNEL = "#deploys"


def main(arguments: list[str]) -> int:
    """0 if the pipeline went as it should."""
    if arguments not in ([], ["--once"]):
        print("usage: script/demo [--once]", file=sys.stderr)
        return 2
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        with tempfile.TemporaryDirectory(prefix="versioner-ci-demo-", ignore_cleanup_errors=True) as folder:
            _play_all(Path(folder), is_staying=not arguments)
    except demo.DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read along has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


def _play_all(folder: Path, *, is_staying: bool) -> None:
    with FakeSlack() as fake:
        fake.add_channel(CHANNEL, "C0DEPLOYS1")
        slack = demo.Slack("C0DEPLOYS1", fake.token, fake.url)
        with demo.tracker(folder, os.environ, 0, slack) as client:
            _say(f"A sample pipeline, reporting to a tracker on this machine, which tells Slack.\ntracker {client.url}")
            demo.play(folder, os.environ, client, _say)
            demo.wait_for_slack(client)
            demo.show(client, _say)
            _say(f"\nSlack, {CHANNEL}, as it now stands\n")
            for message in fake.messages(CHANNEL):
                _say("\n".join(_message(message)))
            if is_staying:
                _say(f"\nThe page: {client.url}   (Ctrl-C ends the demo)")
                _stay()


def _stay() -> None:
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        _say("")


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
