from __future__ import annotations

import pytest

from versioner_ci.hosts._remote import Remote, parse_remote


@pytest.mark.parametrize(
    ("url", "server", "repository"),
    [
        ("https://github.com/acme/shop.git", "https://github.com", "acme/shop"),
        ("https://github.com/acme/shop", "https://github.com", "acme/shop"),
        ("https://github.com//acme/shop.git/", "https://github.com", "acme/shop"),
        ("HTTPS://GitHub.com/Acme/Shop", "https://github.com", "Acme/Shop"),
        ("http://git.example.com:3000/acme/shop.git", "http://git.example.com:3000", "acme/shop"),
        ("https://gitlab.com/group/sub/deep/name.git", "https://gitlab.com", "group/sub/deep/name"),
        ("https://[::1]:3000/acme/shop", "https://[::1]:3000", "acme/shop"),
        ("git@github.com:acme/shop.git", "https://github.com", "acme/shop"),
        ("github.com:acme/shop", "https://github.com", "acme/shop"),
        ("git@git.example.com:/acme/shop.git", "https://git.example.com", "acme/shop"),
        ("ssh://git@git.example.com:2222/group/sub/name.git", "https://git.example.com", "group/sub/name"),
        ("git+ssh://git@git.example.com/acme/shop", "https://git.example.com", "acme/shop"),
        ("git://github.com/acme/shop.git", "https://github.com", "acme/shop"),
        ("ssh://git@ssh.github.com:443/acme/shop.git", "https://github.com", "acme/shop"),
        ("https://github.com/acme/.github.git", "https://github.com", "acme/.github"),
        ("git@example.com:shop.git", "https://example.com", "shop"),
        ("https://bitbucket.example.com/scm/PRJ/shop.git", "https://bitbucket.example.com", "PRJ/shop"),
        ("https://acme@dev.azure.com/acme/Web%20Team/_git/shop", "https://dev.azure.com/acme", "Web Team/shop"),
        ("git@ssh.dev.azure.com:v3/acme/Web%20Team/shop", "https://dev.azure.com/acme", "Web Team/shop"),
        ("acme@vs-ssh.visualstudio.com:v3/acme/web/shop", "https://dev.azure.com/acme", "web/shop"),
        ("https://dev.azure.com/acme/_git/shop", "https://dev.azure.com/acme", "shop/shop"),
        ("https://acme.visualstudio.com/web/_git/shop", "https://acme.visualstudio.com", "web/shop"),
        ("https://acme.visualstudio.com/_git/shop", "https://acme.visualstudio.com", "shop/shop"),
        ("https://tfs.example.com/tfs/Default/web/_git/shop", "https://tfs.example.com/tfs/Default", "web/shop"),
    ],
)
def test_every_form_of_a_remote_is_understood(url: str, server: str, repository: str) -> None:
    remote = parse_remote(url)
    assert remote is not None
    assert (remote.server_url, remote.repository) == (server, repository)


@pytest.mark.parametrize(
    "url",
    [
        "https://robot:canary@git.example.com/acme/shop.git",
        "https://canary@git.example.com/acme/shop.git",
        "https://robot:can@ry:canary@git.example.com/acme/shop.git",
        "ssh://robot:canary@git.example.com/acme/shop.git",
        "robot:canary@git.example.com:acme/shop.git",
        "https://git.example.com/acme/shop.git?private_token=canary",
        "https://git.example.com/acme/shop.git#canary",
        " https://robot:canary@git.example.com/acme/shop.git\n",
    ],
)
def test_credentials_are_stripped(url: str) -> None:
    assert parse_remote(url) == Remote("https://git.example.com", "acme/shop", "https://git.example.com/acme/shop")


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "/srv/git/shop.git",
        "../shop",
        "~/shop",
        "shop",
        "file:///srv/git/shop.git",
        "C:\\work\\shop",
        "C:/work/shop",
        "\\\\server\\share",
        'ext::sh -c "touch x"',
        "https://github.com",
        "https://github.com/",
        "https:///acme/shop",
        "https://robot:can/ary@git.example.com/acme/shop",
        "https://robot:1/2@git.example.com/acme/shop",
        "https://github.com/acme/shop\nx",
        "git@github.com:acme/shop\x1b[2J .git",
        "://",
        "@:",
        ":" * 100_000,
        "a@" * 50_000,
    ],
)
def test_what_is_no_repository_on_a_server_is_none(url: str | None) -> None:
    assert parse_remote(url) is None


def test_a_page_is_linked_as_its_server_has_it() -> None:
    pages = {
        "git@ssh.dev.azure.com:v3/acme/Web%20Team/shop": "https://dev.azure.com/acme/Web%20Team/_git/shop",
        "https://bitbucket.example.com/scm/PRJ/shop.git": "https://bitbucket.example.com/projects/PRJ/repos/shop",
        "git@github.com:acme/shop.git": "https://github.com/acme/shop",
    }
    assert {url: parse_remote(url).web_url for url in pages} == pages  # type: ignore[union-attr]
