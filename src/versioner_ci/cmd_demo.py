"""`versioner-ci demo`: a sample pipeline against an embedded tracker, start to finish."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from versioner_ci import extra
from versioner_ci.cli import Invocation
from versioner_ci.errors import EXIT_OK, Interrupted, UsageError
from versioner_ci.options import Parser
from versioner_ci.settings_parse import shown


def parser() -> Parser:
    """The options of `demo`."""
    made = Parser(
        "demo",
        usage="versioner-ci demo [options]",
        description="Start a tracker in a temporary folder, run a sample pipeline through the real commands, show what "
        "runs where and the page's address. Stays until Ctrl-C and leaves nothing behind.",
    )
    made.add_argument("--once", action="store_true", help="end as soon as the pipeline has run")
    made.add_argument("--port", metavar="PORT", default="0", help="the tracker's port [default: any that is free]")
    made.add_argument(
        "--slack-channel",
        dest="to_channel",
        metavar="CHANNEL",
        help="tell this Slack channel too, with the bot token in SLACK_BOT_TOKEN",
    )
    return made


def main(call: Invocation) -> int:
    """The exit code of `demo`."""
    options = parser().read(call.arguments)
    if not options.port.isdecimal() or int(options.port) > 65_535:
        raise UsageError(f"--port takes a number from 0 to 65535, not {shown(options.port)}")
    with extra.needed():
        import uvicorn  # noqa: F401, PLC0415 - is the extra there?
    from versioner_ci import demo  # noqa: PLC0415 - after that

    slack = None
    if options.to_channel:
        token = call.env.get("SLACK_BOT_TOKEN", "").strip()
        if not token:
            raise UsageError("--slack-channel needs a bot token", fix="set SLACK_BOT_TOKEN")
        slack = demo.Slack(options.to_channel, token, call.env.get("SLACK_API_URL") or None)
    say = call.console.data
    with (
        tempfile.TemporaryDirectory(prefix="versioner-ci-demo-", ignore_cleanup_errors=True) as folder,
        demo.tracker(Path(folder), call.env, int(options.port), slack) as client,
    ):
        say(f"A tracker in a temporary folder: {client.url}")
        demo.play(Path(folder), call.env, client, say)
        if slack is not None:
            demo.wait_for_slack(client)
        demo.show(client, say)
        if not options.once:
            say(f"\nThe page: {client.url}   (Ctrl-C ends the demo)")
            _stay(call)
    return EXIT_OK


def _stay(call: Invocation) -> None:
    call.console.flush()
    try:
        while True:
            time.sleep(1)
    except Interrupted:
        return
