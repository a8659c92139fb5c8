"""The nothing-to-do path as a process: what it imports and says, and that all that is unusual goes to the command line proper."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import assetbuild
from assetbuild import stamps, stamptable

PACKAGE_ROOT = str(Path(assetbuild.__file__).parent.parent)
# A stand-in for the command line proper says that it was asked, and ends with a code nothing else has.
RUN = """
import sys, types
stand_in = types.ModuleType("assetbuild.cli")
def main():
    print("asked for", sys.argv[1:])
    return 33
stand_in.main = main
sys.modules["assetbuild.cli"] = stand_in
sys.argv[0] = "assetbuild"
from assetbuild.__main__ import main
sys.exit(main())
"""
MODULES = """
import sys
before = set(sys.modules)
sys.argv = ["assetbuild", "build"]
from assetbuild.__main__ import main
code = main()
print(code, *sorted(set(sys.modules) - before))
"""
FORBIDDEN = """
yaml _yaml jsonschema rfc8785 click rich PIL typst httpx diskcache sqlite3 asyncio json re typing dataclasses hashlib threading
collections functools enum inspect pathlib argparse contextlib importlib.metadata
assetbuild.cli assetbuild.hashing assetbuild.stamps assetbuild.errors
"""


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose build was more than 2 s ago: tests read it, and copy it when they change something."""
    root = tmp_path_factory.mktemp("aged")
    (root / "art").mkdir()
    (root / "texts" / "deep").mkdir(parents=True)
    (root / "assets.yaml").write_text("version: 1\n")
    (root / "art" / "poster.png").write_bytes(b"x" * 3000)
    time.sleep(2.2)
    stamp(root)
    return root


def stamp(root: Path, profile: str | None = None, environ: dict[str, str] | None = None, summary: str = "1 up to date") -> None:
    header = stamptable.header(tool=assetbuild.__version__, profile=profile, spec="assets.yaml", environ=environ or {})
    table = stamptable.table_path(str(root), profile)
    files = ["assets.yaml", "art/poster.png"]
    assert stamps.write(
        table,
        str(root),
        header={**header, "summary": summary},
        files=files,
        folders=["texts"],
        complete=True,
        since_ns=time.time_ns(),
    )


def run(folder: Path, *arguments: str, program: str = RUN, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("ASSETBUILD_")} | {"PYTHONPATH": PACKAGE_ROOT} | environ
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def test_nothing_to_do_imports_nothing(aged: Path) -> None:
    done = run(aged, program=MODULES)
    code, *loaded = done.stdout.split()
    assert (code, done.stderr) == ("0", "1 up to date in 0.0 s\n")
    assert [name for name in loaded if name.startswith("assetbuild")] == [
        "assetbuild",
        "assetbuild.__main__",
        "assetbuild.stamptable",
    ]
    assert not set(loaded) & set(FORBIDDEN.split())
    assert len(loaded) <= 6, "each import costs every build"


@pytest.mark.parametrize("folder", [".", "texts", "texts/deep"])
def test_from_the_project_folder_or_below(aged: Path, folder: str) -> None:
    done = run(aged / folder, "build")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "1 up to date in 0.0 s\n")


def test_the_nearest_spec_counts(aged: Path, tmp_path: Path) -> None:
    root = tmp_path / "outer"
    shutil.copytree(aged, root)
    stamp(root)
    (root / "texts" / "assets.yaml").write_text("version: 1\n")
    assert run(root / "texts" / "deep", "build").returncode == 33


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["build"], 0),
        (["build", "--frozen"], 0),
        (["build", "--profile", "draft"], 0),
        (["build", "--profile=draft"], 0),
        (["build", "--frozen", "--profile", "draft"], 0),
        (["build", "--profile", "draft", "--frozen"], 0),
        ([], 33),
        (["plan"], 33),
        (["build", "poster"], 33),
        (["build", "--json"], 33),
        (["build", "--help"], 33),
        (["build", "--profile"], 33),
        (["build", "--profile="], 33),
        (["build", "--profile", "--frozen"], 33),
        (["build", "--profile", "proof"], 33),
        (["build", "--profile", "draft", "--profile", "draft"], 33),
        (["build", "--profile", "../stamps"], 33),
        (["build", "--frozen", "--frozen"], 33),
        (["--profile", "draft", "build"], 33),
        (["build", "--froz"], 33),
        (["build", ""], 33),
    ],
)
def test_only_the_plain_forms_are_answered(aged: Path, arguments: list[str], code: int) -> None:
    if "--profile" in str(arguments) and not Path(stamptable.table_path(str(aged), "draft")).exists():
        stamp(aged, "draft", summary="1 up to date")
    done = run(aged, *arguments)
    assert done.returncode == code, done.stderr
    assert done.stdout == (f"asked for {arguments}\n" if code else "")
    assert done.stderr == ("" if code else "1 up to date in 0.0 s\n")


def test_a_variable_that_changes_the_meaning_goes_to_the_command_line(aged: Path) -> None:
    assert run(aged, "build", ASSETBUILD_STORE="/elsewhere").returncode == 33
    assert run(aged, "build", ASSETBUILD_VENDOR_API_KEY="x").returncode == 0


@pytest.mark.parametrize("content", [b"", b"garbage", b"assetbuild stamps 1\n", b"\xff\x00" * 1000])
def test_a_damaged_table_goes_to_the_command_line(aged: Path, tmp_path: Path, content: bytes) -> None:
    root = tmp_path / "copy"
    shutil.copytree(aged, root)
    Path(stamptable.table_path(str(root), None)).write_bytes(content)
    done = run(root, "build")
    assert (done.returncode, done.stderr) == (33, "")


def test_no_spec_no_table_no_picture_goes_to_the_command_line(aged: Path, tmp_path: Path) -> None:
    assert run(tmp_path, "build").returncode == 33
    root = tmp_path / "copy"
    shutil.copytree(aged, root)
    (root / "art" / "poster.png").unlink()
    assert run(root, "build").returncode == 33
    shutil.rmtree(root / ".assetbuild")
    assert run(root, "build").returncode == 33


def test_a_copied_project_is_hashed_and_then_up_to_date(aged: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(aged, root)
    done = run(root, "build")
    assert (done.returncode, done.stderr) == (0, "1 up to date in 0.0 s\n")


def test_the_installed_command_ends_with_the_same_codes(aged: Path, tmp_path: Path) -> None:
    program = RUN.replace("import main\nsys.exit(main())", "import run\nrun()")
    assert "import run" in program
    done = run(aged, "build", program=program)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "1 up to date in 0.0 s\n")
    assert run(tmp_path, "build", program=program).returncode == 33
    assert run(tmp_path, "build", program=program.replace("return 33", "raise SystemExit('a message')")).stderr == "a message\n"


def test_as_a_module(aged: Path) -> None:
    env = os.environ | {"PYTHONPATH": PACKAGE_ROOT}
    done = subprocess.run(
        [sys.executable, "-m", "assetbuild", "build"], cwd=aged, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "1 up to date in 0.0 s\n")


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("return 5", 5),
        ("raise SystemExit(3)", 3),
        ("raise SystemExit", 0),
        ("raise KeyboardInterrupt", 130),
        ("raise BrokenPipeError", 141),
    ],
)
def test_exit_codes_of_the_command_line_are_kept(tmp_path: Path, ending: str, code: int) -> None:
    done = run(tmp_path, "list", program=RUN.replace("return 33", ending))
    assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize(("length", "code"), [(1, 33), (1_000_000, 141)])
def test_a_reader_that_left_is_no_traceback(tmp_path: Path, length: int, code: int) -> None:
    program = RUN.replace('print("asked for", sys.argv[1:])', f"import time; time.sleep(0.2); print('x' * {length})")
    child = subprocess.Popen(
        [sys.executable, "-c", program, "list"],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"} | {"PYTHONPATH": PACKAGE_ROOT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    assert (child.stderr.read(), child.wait()) == (b"", code)
    child.stderr.close()


def test_closed_output_is_no_traceback(aged: Path) -> None:
    program = "import sys; sys.stdout = sys.stderr = None" + RUN
    assert run(aged, "build", program=program).returncode == 0
