"""The one table of settings: options, variables, file keys, documentation and wrappers' inputs come from it."""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

from versioner_ci import settings_parse as parse
from versioner_ci.settings_values import Gate, Identity

DEFAULT_API_URL = "https://api.versioner.io"


class Shape(Enum):
    """What a setting's value looks like to an option parser, to a wrapper's input and to the file's schema."""

    TEXT = "text"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    URL = "URL"
    LIST = "list"
    MAP = "map"
    ROUTES = "routes"


class Setting(NamedTuple):
    """One row. What it has no flag, variable or file key for, cannot be set that way."""

    name: str
    help: str
    parse: parse.Parser
    flag: str | None = None
    env: tuple[str, ...] = ()
    """The first that is set and not blank counts."""
    file_key: str | None = None
    default: Any = None
    default_text: str = ""
    """Where the default is found out, how."""
    shape: Shape = Shape.TEXT
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    is_secret: bool = False
    is_blank_unset: bool = False
    """A blank flag counts as not given: it comes from a secret or output that may be missing. Else it is an error."""

    def options(self) -> list[tuple[str, dict[str, Any]]]:
        """The arguments for argparse's add_argument, one pair an option; values stay text until they are resolved."""
        if self.flag is None:
            return []
        common: dict[str, Any] = {"dest": self.name, "default": None}
        if self.shape is Shape.SWITCH:
            on = (self.flag, {**common, "action": "store_const", "const": True, "help": self.help})
            off = {**common, "action": "store_const", "const": False, "help": f"not {self.flag}"}
            return [on, (f"--no-{self.flag[2:]}", off)] if self.name == "fail_on_error" else [on]
        action = "append" if self.shape in {Shape.LIST, Shape.MAP} else "store"
        return [(self.flag, {**common, "action": action, "metavar": self.metavar, "help": self.help})]


_TIMEOUT = (0.1, 600.0)
_GATE_WAIT = (0.0, 1440.0)
_GATES = tuple(gate.value for gate in Gate)
_IDENTITIES = tuple(identity.value for identity in Identity)
_UNSTABLE = ("completed", "failed")

# fmt: off
SETTINGS: tuple[Setting, ...] = (
    Setting("api_url", "base address of the release tracker", parse.url, "--api-url", ("VERSIONER_API_URL",),
            default_text=f"{DEFAULT_API_URL} when a key is set", shape=Shape.URL, metavar="URL", is_blank_unset=True),
    Setting("api_key", "key for the release tracker (better given by environment)", parse.secret, "--api-key",
            ("VERSIONER_API_KEY",), metavar="KEY", is_secret=True, is_blank_unset=True),
    Setting("slack_token", "Slack bot token, xoxb-… (better given by environment)", parse.secret, "--slack-token",
            ("SLACK_BOT_TOKEN", "SLACK_TOKEN"), metavar="TOKEN", is_secret=True, is_blank_unset=True),
    Setting("slack_channels", "Slack channel, an id like C0123456789 or a name like #deploys; may be repeated",
            parse.channels, "--slack-channel", ("SLACK_CHANNEL", "SLACK_CHANNEL_ID"), default=(), shape=Shape.LIST,
            metavar="CHANNEL", is_blank_unset=True),
    Setting("slack_webhook_url",
            "Slack incoming webhook, used when there is no bot token with a channel (better given by environment)",
            parse.url, "--slack-webhook-url", ("SLACK_WEBHOOK_URL",), shape=Shape.URL, metavar="URL", is_secret=True,
            is_blank_unset=True),
    Setting("slack_api_url", "base address of Slack's Web API, for GovSlack and tests", parse.url, "--slack-api-url",
            ("SLACK_API_URL",), default_text="Slack's own", shape=Shape.URL, metavar="URL", is_blank_unset=True),
    Setting("product", "what is built or deployed", parse.name, "--product", ("VERSIONER_PRODUCT",), "product",
            default_text="the last part of the repository's name", metavar="NAME"),
    Setting("version", "which version of it", parse.name, "--version", ("VERSIONER_VERSION",), "version",
            default_text="the tag, else the first 12 characters of the commit", metavar="TEXT"),
    Setting("environment", "where it is deployed to", parse.name, "--environment", ("VERSIONER_ENVIRONMENT",),
            "environment", default_text="the CI host's environment, where it has one", metavar="NAME"),
    Setting("environments", "the pipeline's words for environments and the tracker's names for them", parse.mapping,
            file_key="environments", default={}, shape=Shape.MAP),
    Setting("routes", "which events go to which Slack channel; without entries all go to the given channel",
            parse.mapping, file_key="notifications", default=(), shape=Shape.ROUTES),
    Setting("metadata", "facts to send along with every event, each under its own key", parse.mapping, "--metadata",
            file_key="metadata", default={}, shape=Shape.MAP, metavar="KEY=VALUE"),
    Setting("metadata_json",
            "more facts as a JSON object, from a file (@FILE) or from standard input (-); the variable also takes lines"
            " of KEY=VALUE", parse.word, "--metadata-json", ("VERSIONER_METADATA",), metavar="JSON",
            is_blank_unset=True),
    Setting("lifecycle", "handle of an open build or deployment, as an earlier call put it out", parse.word,
            "--lifecycle", ("VERSIONER_LIFECYCLE",), metavar="HANDLE", is_blank_unset=True),
    Setting("key", "tells parallel builds or deployments of one product in one run apart", parse.name, "--key",
            ("VERSIONER_KEY",), metavar="TEXT", is_blank_unset=True),
    Setting("timeout", "time in seconds that all deliveries of a call may take together",
            parse.number(*_TIMEOUT, "seconds"), "--timeout", ("VERSIONER_TIMEOUT",), "timeout", 10.0,
            shape=Shape.NUMBER, metavar="SECONDS", bounds=_TIMEOUT),
    Setting("fail_on_error", "exit 4 when something could not be delivered", parse.boolean, "--fail-on-error",
            ("VERSIONER_FAIL_ON_ERROR", "VERSIONER_FAIL_ON_API_ERROR"), "fail_on_error", default=False,
            shape=Shape.SWITCH),
    Setting("gate",
            "may the tracker's rules keep a deployment from starting? required: it starts only if the tracker says so",
            parse.gate, "--gate", ("VERSIONER_GATE",), "gate", default_text="on for deployments; builds have none",
            shape=Shape.CHOICE, metavar="|".join(_GATES), choices=_GATES),
    Setting("gate_wait", "time in minutes to wait for a rejection to lift", parse.number(*_GATE_WAIT, "minutes"),
            "--gate-wait", ("VERSIONER_GATE_WAIT",), default=0.0, shape=Shape.NUMBER, metavar="MINUTES",
            bounds=_GATE_WAIT),
    Setting("skip_preflight", "ask the tracker to skip its checks, for emergencies", parse.boolean, "--skip-preflight",
            ("VERSIONER_SKIP_PREFLIGHT",), default=False, shape=Shape.SWITCH),
    Setting("identity", "how much of the person who started the run is sent; full adds name and e-mail", parse.identity,
            "--identity", ("VERSIONER_IDENTITY",), "identity", Identity.LOGIN, shape=Shape.CHOICE,
            metavar="|".join(_IDENTITIES), choices=_IDENTITIES),
    Setting("unstable", "what a host's word 'unstable' counts as", parse.choice(*_UNSTABLE), "--unstable",
            ("VERSIONER_UNSTABLE",), "unstable", "completed", shape=Shape.CHOICE, metavar="|".join(_UNSTABLE),
            choices=_UNSTABLE),
    Setting("spool_dir", "folder for what could not be delivered yet", parse.path, "--spool-dir",
            ("VERSIONER_SPOOL_DIR",), default_text="the job's scratch folder; outside CI the user's state folder",
            metavar="PATH", is_blank_unset=True),
    Setting("allow_http", "allow unencrypted http:// to other machines", parse.boolean, "--allow-http",
            ("VERSIONER_ALLOW_HTTP",), default=False, shape=Shape.SWITCH),
    Setting("host", "which CI host this is", parse.word, "--host", ("VERSIONER_HOST",), default_text="detected",
            metavar="NAME", is_blank_unset=True),
    Setting("config", "settings file to read", parse.path, "--config", ("VERSIONER_CONFIG",),
            default_text=".versioner.yml at the repository's root, else .github/versioner.yml", metavar="PATH",
            is_blank_unset=True),
    Setting("quiet", "say only what went wrong", parse.boolean, "--quiet", ("VERSIONER_QUIET",), default=False,
            shape=Shape.SWITCH),
    Setting("verbose", "say more; show where a fault came from", parse.boolean, "--verbose", ("VERSIONER_VERBOSE",),
            default=False, shape=Shape.SWITCH),
    Setting("disabled", "switch versioner-ci off: send nothing, exit 0 (run: only run the command)", parse.boolean,
            env=("VERSIONER_DISABLED",), default=False, shape=Shape.SWITCH),
)
# fmt: on
BY_NAME = {setting.name: setting for setting in SETTINGS}
BY_FILE_KEY = {setting.file_key: setting for setting in SETTINGS if setting.file_key}
