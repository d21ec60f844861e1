"""The wheel holds everything that `settle` needs at run time, and works without the repository.

It does not test what the commands do.
"""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# What is no Python module but read at run time, by the end of its name.
DATA = {
    "the contracts": ("settlement/chain/artifacts/", ".json"),
    "the migrations": ("settlement/store/migrations/versions/", ".py"),
    "the policy packs": ("settlement/compliance/packs/", ""),
    "the demo documents": ("gateway/demo/", ".xml"),
    "the message schemas": ("settlement/documents/iso20022/schemas/", ".xsd"),
    "the font of what is printed": ("settlement/statements/fonts/", ".ttf"),
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `pip install .` builds it, by the pinned builder."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, our dependencies, and not the repository."""
    folder = tmp_path_factory.mktemp("user")
    venv.create(folder, symlinks=True, with_pip=False)
    python = folder / "bin" / "python"
    site = _site_packages(python)
    command = [sys.executable, "-m", "zipfile", "-e", str(wheel), str(site)]
    subprocess.run(command, check=True)
    # The dependencies of this very environment, but not its editable link to the repository.
    for entry in _site_packages(Path(sys.executable)).iterdir():
        if "settlement_rail" not in entry.name and not (site / entry.name).exists():
            (site / entry.name).symlink_to(entry)
    return python


def test_the_wheel_holds_every_file_that_is_committed_in_the_packages(wheel: Path) -> None:
    listing = subprocess.run(
        ["git", "ls-files", "settlement", "gateway"], cwd=ROOT, capture_output=True, text=True
    )
    if listing.returncode != 0:
        pytest.skip("no git checkout to compare the wheel with")
    committed = {name for name in listing.stdout.splitlines() if (ROOT / name).exists()}

    names = set(zipfile.ZipFile(wheel).namelist())

    assert sorted(committed - names) == []


@pytest.mark.parametrize("what", DATA)
def test_the_wheel_holds_what_is_read_at_run_time(wheel: Path, what: str) -> None:
    folder, ending = DATA[what]
    if not any((ROOT / folder).glob(f"**/*{ending}")):
        pytest.skip(f"{what} are not written yet")

    names = zipfile.ZipFile(wheel).namelist()

    assert any(name.startswith(folder) and name.endswith(ending) for name in names)


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0].split("-")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert tops == {"settlement", "gateway", "settlement_rail"}


def test_the_command_works_without_the_repository(installed: Path, tmp_path: Path) -> None:
    run = _outside(installed, tmp_path, "from gateway.cli import main; main()", "--help")

    assert run.returncode == 0, run.stderr
    assert "Usage" in run.stdout


def test_a_database_can_be_migrated_without_the_repository(installed: Path, tmp_path: Path) -> None:
    program = (
        "import settlement; print(settlement.__file__);"
        "from settlement.store import migrate, open_engine, require_current;"
        "engine = open_engine('sqlite:///settle.sqlite3'); migrate(engine); require_current(engine)"
    )

    run = _outside(installed, tmp_path, program)

    assert run.returncode == 0, run.stderr
    assert not run.stdout.startswith(str(ROOT))
    assert (tmp_path / "settle.sqlite3").stat().st_size > 0


def _outside(
    python: Path, folder: Path, program: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run `program` in `folder`, with an environment that knows nothing of the repository."""
    return subprocess.run(
        [str(python), "-c", program, *arguments],
        cwd=folder,
        env={"PATH": os.defpath, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def _site_packages(python: Path) -> Path:
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=True)
    return Path(answer.stdout.strip())
