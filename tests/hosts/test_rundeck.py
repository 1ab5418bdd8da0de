from __future__ import annotations

import pytest

from tests.hosts.captured import load
from versioner_ci import hosts
from versioner_ci.context import CIContext

JOB = "2d9a5f3c-8f1b-4f0e-9f1e-6f7c1f2a3b4c"
FOLLOW = "https://rundeck.example.com/project/web%20shop/execution/follow/789"


def test_a_node_step_says_everything_but_the_repository() -> None:
    assert hosts.detect(load("rundeck_node")) == CIContext(
        source_system="rundeck",
        server_url="https://rundeck.example.com",
        build_number="789",
        run_url=FOLLOW,
        invoke_id="789",
        attempt="0",
        job=JOB,
        leg="web1",
        actor="jdoe",
        actor_email="jane@example.com",
        metadata={
            "vi_rd_job_id": JOB,
            "vi_rd_job_execid": "789",
            "vi_rd_job_serverurl": "https://rundeck.example.com/",
            "vi_rd_job_project": "web shop",
            "vi_rd_job_name": "Deploy the shop",
            "vi_rd_job_group": "shop/deploy",
            "vi_rd_job_url": FOLLOW,
        },
    )


@pytest.mark.parametrize("url", ["", "https://rundeck.example.com/project/web%20shop/job/show/1"])
def test_the_executions_page_is_built_where_only_the_jobs_is_known(url: str) -> None:
    context = hosts.detect(load("rundeck_node", RD_JOB_URL=url))
    assert context.run_url == "https://rundeck.example.com/project/web%20shop/execution/show/789"


def test_the_user_has_two_spellings() -> None:
    assert hosts.detect(load("rundeck_node", RD_JOB_USERNAME="")).actor == "jdoe"
