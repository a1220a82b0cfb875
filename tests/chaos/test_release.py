"""Which code a member of the cluster runs."""

import subprocess
from pathlib import Path

import pytest

from services.roster import ROSTER
from tests.chaos.cluster import release
from tests.chaos.cluster.release import CURRENT, Release, checked_out


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits: a roster of one service, then of two."""
    folder = tmp_path / "repository"
    (folder / "services").mkdir(parents=True)
    (folder / "services" / "__init__.py").touch()
    monkeypatch.setattr(release, "ROOT", folder)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    for names in (["edge"], ["edge", "fax"]):
        specs = ", ".join(f"type('Spec', (), {{'name': {name!r}}})" for name in names)
        (folder / "services" / "roster.py").write_text(f"ROSTER = ({specs},)\n")
        git(folder, "add", ".")
        git(folder, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--message", str(names))
    return folder


def git(folder: Path, *words: str) -> None:
    subprocess.run(("git", *words), cwd=folder, check=True)


def test_a_commit_is_run_from_its_own_files(repository: Path, tmp_path: Path) -> None:
    assert checked_out("HEAD", tmp_path / "new").services == ("edge", "fax")
    assert checked_out("HEAD^", tmp_path / "old").services == ("edge",)


def test_a_commit_that_is_not_there_is_said(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="there is no such commit here"):
        checked_out("v9", tmp_path / "none")


def test_the_release_before_is_the_newest_tag_or_the_commit_before(repository: Path, tmp_path: Path) -> None:
    assert release.one_before() == "HEAD^"
    git(repository, "tag", "v1", "HEAD^")
    assert release.one_before() == "v1"
    git(repository, "tag", "v2")
    assert release.one_before() == "v1", "this commit is the release"


def test_a_folder_without_the_product_is_not_taken_for_this_version(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="x is not what runs from"):
        _ = Release("x", tmp_path).services


def test_this_version_has_the_services_of_the_roster() -> None:
    assert CURRENT.services == tuple(spec.name for spec in ROSTER)
