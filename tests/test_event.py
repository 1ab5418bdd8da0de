"""The event as it is sent and as it is kept."""

from __future__ import annotations

import json

import pytest

from versioner_ci.event import Event, from_record, payload, to_record
from versioner_ci.status import Kind, State

WHEN = "2026-01-31T12:00:00.000000Z"
FULL = Event(
    kind=Kind.DEPLOYMENT,
    state=State.FAILED,
    product="shop",
    version="1.4.2",
    environment="production",
    occurred_at=WHEN,
    started_at="2026-01-31T11:59:00.000000Z",
    completed_at=WHEN,
    source_system="github",
    build_number="7",
    scm_sha="a" * 40,
    scm_branch="main",
    scm_repository="acme/shop",
    scm_url="https://github.com/acme/shop",
    run_url="https://ci/7",
    invoke_id="42",
    actor="alice",
    actor_email="a@example.com",
    actor_name="Alice",
    skip_preflight=True,
    metadata={"error": "boom"},
    group_id="g",
    lifecycle_id="l",
    key="k",
)


def test_a_deployment_is_sent_with_every_field_of_the_contract() -> None:
    assert payload(FULL) == {
        "product_name": "shop",
        "version": "1.4.2",
        "environment_name": "production",
        "status": "failed",
        "source_system": "github",
        "build_number": "7",
        "scm_sha": "a" * 40,
        "scm_branch": "main",
        "scm_repository": "acme/shop",
        "deploy_url": "https://ci/7",
        "invoke_id": "42",
        "deployed_by": "alice",
        "deployed_by_email": "a@example.com",
        "deployed_by_name": "Alice",
        "started_at": "2026-01-31T11:59:00.000000Z",
        "completed_at": WHEN,
        "skip_preflight_checks": True,
        "extra_metadata": {"error": "boom", "vi_group_id": "g", "vi_lifecycle_id": "l", "vi_occurred_at": WHEN},
    }


def test_a_build_has_builder_and_build_url_and_no_environment() -> None:
    build = Event(
        kind=Kind.BUILD,
        state=State.STARTED,
        product="shop",
        version="1",
        environment="ignored",
        occurred_at=WHEN,
        run_url="https://ci/7",
        actor="alice",
        key="k",
    )
    body = payload(build)
    assert (body["built_by"], body["build_url"]) == ("alice", "https://ci/7")
    assert not {"environment_name", "deployed_by", "deploy_url"} & set(body)


def test_what_is_unknown_is_left_out_and_never_null_or_empty() -> None:
    bare = Event(
        kind=Kind.BUILD, state=State.STARTED, product="p", version="1", occurred_at=WHEN, scm_branch="", key="k"
    )
    assert set(payload(bare)) == {"product_name", "version", "status", "extra_metadata"}
    assert payload(bare)["extra_metadata"] == {"vi_occurred_at": WHEN}


def test_the_identity_cannot_be_overwritten_by_metadata() -> None:
    forged = Event(
        kind=Kind.BUILD,
        state=State.STARTED,
        product="p",
        version="1",
        occurred_at=WHEN,
        key="k",
        lifecycle_id="mine",
        metadata={"vi_lifecycle_id": "theirs", "vi_occurred_at": "never"},
    )
    assert payload(forged)["extra_metadata"] == {"vi_lifecycle_id": "mine", "vi_occurred_at": WHEN}


def test_an_event_type_is_kind_and_state() -> None:
    assert FULL.type == "deployment.failed"


def test_a_kept_event_comes_back_as_it_was() -> None:
    assert from_record(json.loads(json.dumps(to_record(FULL)))) == FULL


def test_a_field_of_a_later_version_is_passed_over() -> None:
    assert from_record({**to_record(FULL), "colour": "blue"}) == FULL


@pytest.mark.parametrize("missing", ["kind", "state", "product", "key"])
def test_a_record_without_what_is_needed_is_refused(missing: str) -> None:
    record = {name: value for name, value in to_record(FULL).items() if name != missing}
    with pytest.raises((KeyError, TypeError)):
        from_record(record)


@pytest.mark.parametrize(("name", "value"), [("kind", "party"), ("state", "odd")])
def test_a_record_with_an_unknown_kind_or_state_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=value):
        from_record({**to_record(FULL), name: value})
