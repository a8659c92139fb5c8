"""How a spec sees the disk: boundaries, links, patterns, sizes."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from assetbuild.reader import MOST, DiskReader, git_top


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """repo/.git, repo/shared.md, repo/sub/project, and outside.md beside the repo."""
    root = tmp_path / "repo" / "sub" / "project"
    root.mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    (tmp_path / "repo" / "shared.md").write_text("shared")
    (tmp_path / "outside.md").write_text("outside")
    (root / "a.md").write_text("a")
    return root


def test_files_up_to_the_git_top_level(project: Path) -> None:
    reader = DiskReader(str(project))
    assert reader.read("a.md") == b"a"
    assert reader.read("../../shared.md") == b"shared"
    assert (reader.exists("a.md"), reader.exists("b.md"), reader.exists(".."), reader.exists("a.md/x")) == (
        True,
        False,
        False,
        False,
    )
    for path in ("../../../outside.md", "/etc/passwd", "../../../../../../../etc/passwd", "C:/x", "a\0b"):
        with pytest.raises(ValueError, match=r".*"):
            reader.read(path)
        with pytest.raises(ValueError, match=r".*"):
            reader.exists(path)


def test_without_git_the_project_is_the_boundary(project: Path) -> None:
    (project.parent.parent / ".git").rmdir()
    reader = DiskReader(str(project))
    assert reader.read("a.md") == b"a"
    with pytest.raises(ValueError, match="shared"):
        reader.read("../../shared.md")


def test_a_worktree_has_a_git_file(project: Path) -> None:
    (project / ".git").write_text("gitdir: elsewhere\n")
    assert git_top(str(project)) == os.path.realpath(project)
    assert DiskReader(str(project)).boundary == os.path.realpath(project)


def test_links_count_by_where_they_lead(project: Path) -> None:
    (project / "in.md").symlink_to(project.parent.parent / "shared.md")
    (project / "out.md").symlink_to(project.parent.parent.parent / "outside.md")
    (project / "dir").symlink_to(project.parent.parent.parent)
    (project / "loop").symlink_to("loop")
    reader = DiskReader(str(project))
    assert reader.read("in.md") == b"shared"
    for path in ("out.md", "dir/outside.md"):
        with pytest.raises(ValueError, match=r"outside|out"):
            reader.read(path)
    assert reader.exists("loop") is False
    with pytest.raises(OSError, match="loop"):
        reader.read("loop")


def test_a_project_reached_by_a_link(project: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project)
    assert DiskReader(str(tmp_path / "link")).read("a.md") == b"a"


def test_what_is_no_plain_file(project: Path) -> None:
    reader = DiskReader(str(project))
    with pytest.raises(IsADirectoryError):
        reader.read(".")
    with pytest.raises(FileNotFoundError):
        reader.read("none.md")
    if hasattr(os, "mkfifo"):
        os.mkfifo(project / "pipe")
        with pytest.raises(PermissionError):
            reader.read("pipe")
        with socket.socket(socket.AF_UNIX) as server:
            os.chdir(project)  # the path of a socket must be short
            server.bind("socket")
            with pytest.raises(OSError, match="socket"):
                reader.read("socket")


def test_large_files_are_refused(project: Path) -> None:
    with (project / "large").open("wb") as file:
        file.truncate(MOST)
        assert len(DiskReader(str(project)).read("large")) == MOST
        file.truncate(MOST + 1)
    with pytest.raises(OverflowError):
        DiskReader(str(project)).read("large")


def test_patterns(project: Path) -> None:
    for path in (
        "p/a.yaml",
        "p/b.yml",
        "p/.h.yaml",
        "p/q/c.yaml",
        "p/q/r/d.yaml",
        "p.yaml",
        "p/x.yaml/e.yaml",
        "p/[b].yaml",
        ".dot/f.yaml",
    ):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text("x")
    (project / "p" / "self").symlink_to(project / "p")
    reader = DiskReader(str(project))
    assert reader.glob("p/*.yaml") == (["p/[b].yaml", "p/a.yaml"], ["p"])
    assert reader.glob("*/*.y*ml")[0] == ["p/[b].yaml", "p/a.yaml", "p/b.yml"]
    assert reader.glob("p/**/*.yaml")[0] == ["p/[b].yaml", "p/a.yaml", "p/q/c.yaml", "p/q/r/d.yaml", "p/x.yaml/e.yaml"]
    assert reader.glob("p/q/**") == (["p/q/c.yaml", "p/q/r/d.yaml"], ["p/q", "p/q/r"])
    assert reader.glob("p/.*.yaml")[0] == ["p/.h.yaml"]
    assert reader.glob("p/[ab].yaml")[0] == ["p/a.yaml"]
    assert reader.glob("p/[!a].y?ml")[0] == []
    assert reader.glob("p/?.y[!a]l")[0] == ["p/b.yml"]
    assert reader.glob("p/[z-a]*")[0] == []
    assert reader.glob("none/*.yaml") == ([], ["none"])
    assert reader.glob("p/*/a.yaml")[0] == ["p/self/a.yaml"], "a linked folder is a folder, but `**` doesn't follow it"
    assert reader.glob("../../*.md")[0] == ["../../shared.md"]
    with pytest.raises(ValueError, match=r"\.\."):
        reader.glob("../../../*.md")


def test_sizes_of_pictures(project: Path) -> None:
    from PIL import Image

    Image.new("RGB", (30, 20)).save(project / "wide.png")
    turned = Image.new("RGB", (30, 20))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(project / "turned.jpg", exif=exif)
    reader = DiskReader(str(project))
    assert reader.picture_size("wide.png") == (30, 20)
    assert reader.picture_size("turned.jpg") == (20, 30)
    assert reader.picture_size("a.md") is None
    assert reader.picture_size("none.png") is None
    assert reader.picture_size("../../../outside.png") is None
