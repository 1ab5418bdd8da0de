"""What a CI host says about the run, one frozen record; what is unknown is None."""

from __future__ import annotations

from collections.abc import Mapping

from versioner_ci.records import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CIContext:
    """Facts read from one CI host's variables; `hosts/` makes it, everything after reads it."""

    source_system: str
    """github, gitlab, jenkins, azure-devops, bitbucket, circleci, buildkite, travis, rundeck or local."""
    server_url: str | None = None
    product: str | None = None
    version: str | None = None
    """The tag, if the run is for a tag; else the first 12 characters of the commit."""
    scm_sha: str | None = None
    scm_branch: str | None = None
    scm_repository: str | None = None
    """owner/name; GitLab's sub-groups are kept."""
    scm_url: str | None = None
    """The repository's web address, where known: Slack links branch and commit below it."""
    build_number: str | None = None
    run_url: str | None = None
    """Opens the run in a browser: build_url or deploy_url."""
    invoke_id: str | None = None
    pipeline: str | None = None
    """Jenkins' JOB_NAME: its BUILD_ID is unique only within it."""
    attempt: str | None = None
    job: str | None = None
    leg: str | None = None
    """The matrix or parallel leg, where the host's variables tell it."""
    actor: str | None = None
    actor_email: str | None = None
    actor_name: str | None = None
    environment: str | None = None
    pull_request: str | None = None
    is_fork: bool = False
    """The run is for a pull request from an untrusted fork."""
    is_ephemeral: bool = False
    """The machine dies with the job: what is kept there is lost."""
    is_last_hook: bool = False
    """Nothing runs after this call: GitHub's post, GitLab's after_script."""
    scratch: str | None = None
    """A folder of this job's own."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The vi_* keys for extra_metadata."""

    @property
    def is_ci(self) -> bool:
        return self.source_system != "local"
