"""`versioner-ci doctor`: is it set up?"""

from __future__ import annotations

from collections.abc import Mapping

from versioner_ci import (
    config_file,
    doctor_file,
    doctor_machine,
    doctor_sinks,
    doctor_variables,
    settings,
)
from versioner_ci.cli import Invocation
from versioner_ci.doctor import Check, as_json, count_bad, screen
from versioner_ci.errors import EXIT_OK, EXIT_USAGE
from versioner_ci.options import Parser, add_settings, flags_of
from versioner_ci.session import Call, Session, open_session
from versioner_ci.settings_table import BY_NAME

_HINTS = {
    "github": "on GitHub, variables stand under `env:` in the workflow; secrets as ${{ secrets.NAME }}",
    "gitlab": "on GitLab, variables stand under Settings > CI/CD > Variables; mask the secrets",
    "jenkins": "in Jenkins, variables are set with withEnv, secrets with withCredentials",
}


def parser() -> Parser:
    """The options of `doctor`."""
    made = Parser(
        "doctor",
        usage="versioner-ci doctor [options]",
        description="What is set up, from where, what is missing, and how to mend it (exit 2 if so).",
    )
    made.add_argument(
        "--send-test",
        action="store_true",
        help="prove it by a request that records nothing, and a test message to each channel",
    )
    made.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    add_settings(made)
    return made


def main(call: Invocation) -> int:
    """The exit code of `doctor`: 2 if anything needs mending."""
    options = parser().read(call.arguments)
    flags = flags_of(options)
    session = open_session(Call(flags=flags, env=call.env, cwd=call.cwd, began=call.began, is_dry=True))
    call.console.follow(session.config, session.redactor)
    checks = examine(session, flags)
    if options.send_test:
        from versioner_ci import doctor_send  # noqa: PLC0415 - it loads the HTTP libraries

        checks += doctor_send.checks(session)
    if options.json:
        call.console.json(as_json(checks))
    else:
        hint = _HINTS.get(session.context.source_system)
        for line in screen(checks, is_sent=options.send_test, hint=hint):
            call.console.data(line)
    return EXIT_USAGE if count_bad(checks) else EXIT_OK


def examine(session: Session, flags: Mapping[str, object]) -> list[Check]:
    """Every check that needs no network."""
    path = settings.given("config", flags, session.env)
    file = config_file.load(session.call.cwd, session.env, path=path, context=session.context)
    is_from_variable = path is not None and path != flags.get(BY_NAME["config"].name)
    config = session.config
    git = list(doctor_machine.git(session))
    return [
        *doctor_machine.run(session, is_git_refused=count_bad(git) > 0),
        *doctor_sinks.checks(session),
        *doctor_variables.checks(session.env, config.typed, allows_http=config.allow_http),
        *doctor_file.checks(file, session.call.cwd, is_from_variable=is_from_variable),
        *doctor_machine.spool(session),
        *git,
        *doctor_machine.network(session),
        *doctor_machine.machine(session),
    ]
