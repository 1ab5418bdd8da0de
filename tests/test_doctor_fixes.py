"""Each fix that doctor prints, done as it is printed, mends what it stands for."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import COMMAND
from tests.support.process import Repo

KEY = "sk_1_canaryCanaryCanaryCanary"
TOKEN = "-".join(("xoxb", "1", "canarycanary"))  # noqa: FLY002 - or scanners take it for a real one
FILLED = {"sk_<id>_<secret>": KEY, "xoxb-<token>": TOKEN, "services/<path>": "services/T0/B0/x"}
"""What only the person knows: placeholder → what is put there."""
_EDIT = re.compile(
    r"in (?P<path>\S+), "
    r"(?:make line (?P<at>\d+): `(?P<row>.*)`|delete lines? (?P<first>\d+)(?:-(?P<last>\d+))?)"
    r"(?:; then .*)?"
)


@dataclass
class User:
    """Somebody with a shell, who does as told."""

    env: dict[str, str]
    cwd: Path
    done: list[str] = field(default_factory=list)

    def ask(self) -> list[str]:
        """The fixes printed for what is bad; empty if doctor exits 0."""
        command = [str(COMMAND), "doctor"]
        done = subprocess.run(
            command, env=self.env, cwd=self.cwd, capture_output=True, text=True, timeout=30, check=False
        )
        fixes = re.findall(r"^  BAD .*\n       fix:          (.*)$", done.stdout, re.MULTILINE)
        assert len(fixes) == done.stdout.count("  BAD ")
        assert done.returncode == (2 if fixes else 0), done.stderr
        return fixes

    def do(self, fix: str) -> None:
        """Carry one fix out: an edit, or a line for the shell."""
        self.done.append(fix)
        edit = _EDIT.fullmatch(fix)
        if edit is not None:
            self._edit(edit)
            return
        assert not fix.startswith("in "), fix
        for placeholder, value in FILLED.items():
            fix = fix.replace(placeholder, value)
        script = f"{fix}\nenv -0 >&3"
        reader, writer = os.pipe()
        subprocess.run(
            ["bash", "-e", "-c", script.replace(">&3", f">&{writer}")],
            env=self.env,
            cwd=self.cwd,
            pass_fds=[writer],
            timeout=30,
            check=True,
        )
        os.close(writer)
        with open(reader, "rb") as file:
            rows = file.read().split(b"\0")
        self.env = dict(row.decode("utf-8", "surrogateescape").split("=", 1) for row in rows if b"=" in row)

    def _edit(self, edit: re.Match[str]) -> None:
        path = self.cwd / edit["path"]
        rows = path.read_text().split("\n")
        if edit["at"]:
            rows[int(edit["at"]) - 1] = edit["row"]
        else:
            del rows[int(edit["first"]) - 1 : int(edit["last"] or edit["first"])]
        path.write_text("\n".join(rows))


def file(text: str, name: str = ".versioner.yml") -> Callable[[Path], None]:
    def made(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)

    return made


GOOD = {"VERSIONER_API_KEY": KEY}
VARIABLES: dict[str, dict[str, str]] = {
    "nothing set": {},
    "a key with a line break": {"VERSIONER_API_KEY": "sk_1_canaryCanary\nCanaryCanary"},
    "a key in quotes": {"VERSIONER_API_KEY": f'"{KEY}"'},
    "a key with Bearer": {"VERSIONER_API_KEY": f"Bearer {KEY}"},
    "a Slack token for a key": {"VERSIONER_API_KEY": TOKEN},
    "an address without a key": {"VERSIONER_API_URL": "https://t.example.com"},
    "an unencrypted address": {**GOOD, "VERSIONER_API_URL": "http://t.example.com"},
    "an address with a password": {**GOOD, "VERSIONER_API_URL": "https://u:canary@t.example.com"},
    "an address without https": {**GOOD, "VERSIONER_API_URL": "t.example.com"},
    "an address with the events' path": {**GOOD, "VERSIONER_API_URL": "https://t.example.com/build-events/"},
    "an address with a query": {**GOOD, "VERSIONER_API_URL": "https://t.example.com?key=x"},
    "no address at all": {**GOOD, "VERSIONER_API_URL": "see wiki"},
    "a user's Slack token": {**GOOD, "SLACK_BOT_TOKEN": "xoxp-1-2", "SLACK_CHANNEL": "C0123456789"},
    "an app-level Slack token": {**GOOD, "SLACK_BOT_TOKEN": "xapp-1-2", "SLACK_CHANNEL": "C0123456789"},
    "a token without a channel": {**GOOD, "SLACK_BOT_TOKEN": TOKEN},
    "a channel without a token": {**GOOD, "SLACK_CHANNEL": "C0123456789"},
    "a channel's address": {**GOOD, "SLACK_BOT_TOKEN": TOKEN,
                            "SLACK_CHANNEL": "https://x.slack.com/archives/C0123456789"},
    "no channel at all": {**GOOD, "SLACK_BOT_TOKEN": TOKEN, "SLACK_CHANNEL": "<!here>"},
    "a workflow's address": {**GOOD, "SLACK_WEBHOOK_URL": "https://hooks.slack.com/triggers/T/1/canary"},
    "a webhook with a blank": {**GOOD, "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/ canary"},
    "a misspelt gate": {**GOOD, "VERSIONER_GATE": "requird"},
    "a required gate without a tracker": {"VERSIONER_GATE": "required", "SLACK_BOT_TOKEN": TOKEN,
                                          "SLACK_CHANNEL": "C0123456789"},
    "a time with its unit": {**GOOD, "VERSIONER_TIMEOUT": "10s"},
    "a misspelt switch": {**GOOD, "VERSIONER_FAIL_ON_ERROR": "ture"},
    "an unknown host": {**GOOD, "VERSIONER_HOST": "githb"},
    "a broken handle": {**GOOD, "VERSIONER_LIFECYCLE": "abc"},
    "broken metadata": {**GOOD, "VERSIONER_METADATA": "{"},
    "a settings file that is not there": {**GOOD, "VERSIONER_CONFIG": "none.yml"},
    "a folder that cannot be made": {**GOOD, "VERSIONER_SPOOL_DIR": "/dev/null/none"},
    "a proxy that is none": {**GOOD, "HTTPS_PROXY": "socks5://p.example.com:1080", "NO_PROXY": "a.example.com"},
    "a bundle that is not there": {**GOOD, "REQUESTS_CA_BUNDLE": "/none.pem"},
}  # fmt: skip
FILES: dict[str, Callable[[Path], None]] = {
    "a misspelt key": file("prodcut: shop\n"),
    "a wholly unknown key": file("zzz:\n  - a\n  - b\nproduct: shop\n"),
    "a forbidden key": file("product: shop\napi_url: https://evil.example.com\n"),
    "a forbidden block": file("proxies:\n  http: x\n  https: y\n\nproduct: shop\n"),
    "a version like a number": file("version: 1.10  # the release\n"),
    "a misspelt choice": file("gate: requird\n"),
    "a weaker gate": file("gate: off\n"),
    "a time with its unit": file("timeout: 10s\n"),
    "an unknown event": file("notifications:\n  - event_type: deployment.success\n    channel_id: C0123456789\n"),
    "a route's misspelt key": file("notifications:\n  - event_type: '*'\n    chanel_id: C0123456789\n"),
    "a mention by name": file("notifications:\n  - event_type: '*'\n    channel_id: C1\n    mention: ['@ada']\n"),
    "a tab": file("environments:\n\tprod: production\n"),
    "broken YAML": file("product: [shop\nversion: x\n"),
    "a list for a map": file("environments: [prod]\n"),
    "a key given twice": file("product: a\nproduct: b\n"),
    "several at once": file(
        "prodcut: a\nproxies:\n  - a\ngate: requird\nversion: 1.10\ntoken: x\ntimeout: 1h\nfoo: 1\n"
    ),
    "the other suffix": file("product: shop\n", ".versioner.yaml"),
    "the other folder": file("product: shop\n", ".github/.versioner.yml"),
    "a folder": lambda folder: (folder / ".versioner.yml").mkdir(),
    "a link out of the repository": lambda folder: (folder / ".versioner.yml").symlink_to("/etc/hostname"),
    "no text at all": lambda folder: (folder / ".versioner.yml").write_bytes(b"\xff\xfe\xff\xff\0"),
}
_MOST_ROUNDS = 4


def mended(user: User) -> None:
    """Do as doctor says until it is content; nothing that a fix needs may be masked or cut."""
    fixes = user.ask()
    assert fixes, "nothing is wrong with this set-up"
    for _ in range(_MOST_ROUNDS):
        for fix in fixes:
            assert "***" not in fix
            user.do(fix)
        fixes = user.ask()
        if not fixes:
            return
    pytest.fail(f"still {fixes} after {user.done}")


@pytest.fixture
def user(cli_env: dict[str, str], repo: Repo) -> User:
    return User(env=cli_env, cwd=repo.path)


@pytest.mark.parametrize("env", VARIABLES.values(), ids=VARIABLES)
def test_a_fix_for_the_environment_done_as_printed_mends_it(env: dict[str, str], user: User) -> None:
    user.env = {**user.env, **env}
    mended(user)
    assert not [fix for fix in user.done if "canary" in fix.lower()]


@pytest.mark.parametrize("make", FILES.values(), ids=FILES)
def test_a_fix_for_the_settings_file_done_as_printed_mends_it(make: Callable[[Path], None], user: User) -> None:
    user.env = {**user.env, **GOOD}
    make(user.cwd)
    mended(user)


def test_an_edit_leaves_what_was_right(user: User) -> None:
    user.env = {**user.env, **GOOD}
    path = user.cwd / ".versioner.yml"
    path.write_text("# ours\nprodcut: shop\nproxies:\n  - a\n\nenvironments: {prod: production}\nversion: 1.10 # v\n")
    mended(user)
    assert path.read_text() == '# ours\nproduct: shop\n\nenvironments: {prod: production}\nversion: "1.10" # v\n'


def test_a_repository_without_a_remote_and_a_folder_outside_are_told_what_to_set(user: User, tmp_path: Path) -> None:
    user.env, user.cwd = {**user.env, **GOOD}, tmp_path / "home"
    mended(user)
    assert user.done == ["export VERSIONER_PRODUCT=my-product", "export VERSIONER_VERSION=1.0.0"]


def test_notifications_without_any_channel_are_mended(user: User) -> None:
    user.env = {**user.env, **GOOD, "SLACK_BOT_TOKEN": TOKEN}
    file("notifications:\n  - event_type: '*'\n")(user.cwd)
    mended(user)
    assert user.done == ["export SLACK_CHANNEL=C0123456789"]


def test_a_spool_folder_that_others_may_read_is_closed(user: User, tmp_path: Path) -> None:
    user.env = {**user.env, **GOOD, "VERSIONER_SPOOL_DIR": str(tmp_path / "spool")}
    command = [str(COMMAND), "flush"]
    subprocess.run(command, env=user.env, cwd=user.cwd, capture_output=True, timeout=30, check=True)
    [root] = (tmp_path / "spool").iterdir()
    root.chmod(0o755)
    mended(user)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def test_a_repository_of_another_user_is_declared_safe(user: User, tmp_path: Path) -> None:
    """Git itself is asked; one that trusts nobody stands in for a checkout of another user's."""
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    real = subprocess.run(["bash", "-c", "command -v git"], capture_output=True, text=True, check=True).stdout.strip()
    git.write_text(f'#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {real} "$@"\n')
    git.chmod(0o755)
    user.env = {**user.env, **GOOD, "PATH": f"{git.parent}{os.pathsep}{user.env['PATH']}"}
    mended(user)
    assert user.done[0] == f"git config --global --add safe.directory {user.cwd}"
