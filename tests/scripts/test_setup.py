"""`scripts/setup` on machines that lack something, and on one that lacks nothing.

It does not install anything: every run here ends before the first download.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BASH = shutil.which("bash") or "bash"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout as it is after a clone, in a folder with a space in its name."""
    folder = tmp_path / "a checkout"
    (folder / "contracts").mkdir(parents=True)
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__*"))
    for file in ROOT.glob("requirements*.lock"):
        shutil.copy(file, folder)
    for name in ("pyproject.toml", "contracts/package-lock.json", "contracts/.npmrc"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder of programs, for a PATH that has these and no other."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "dirname"):
        (folder / name).symlink_to(shutil.which(name) or name)
    # A link would lose the environment that Python finds its own library by.
    _program(folder, "python3", f'exec "{sys.executable}" "$@"')
    _program(folder, "node", "echo v20.11.0")
    _program(folder, "npm", "exit 0")
    return folder


def test_a_machine_without_a_fitting_python_is_told_what_to_install(
    checkout: Path, path: Path
) -> None:
    _program(path, "python3", "exit 1")

    run = _setup(checkout, path)

    assert run.returncode == 1
    assert "no Python 3.11, 3.12 or 3.13" in run.stderr
    assert "apt-get install python3 python3-venv" in run.stderr


def test_a_python_is_found_behind_one_that_does_not_fit(checkout: Path, path: Path) -> None:
    (path / "python3").rename(path / "python3.12")
    _program(path, "python3", "exit 1")
    (path / "node").unlink()

    run = _setup(checkout, path)

    assert "no node on PATH" in run.stderr


@pytest.mark.parametrize(("program", "package"), [("node", "nodejs"), ("npm", "npm")])
def test_a_missing_program_is_named_with_its_package(
    checkout: Path, path: Path, program: str, package: str
) -> None:
    (path / program).unlink()

    run = _setup(checkout, path)

    assert run.returncode == 1
    assert f"no {program} on PATH" in run.stderr
    assert f"apt-get install {package}\n" in run.stderr
    assert not (checkout / ".venv").exists()


def test_a_node_that_is_too_old_is_refused(checkout: Path, path: Path) -> None:
    _program(path, "node", "echo v18.19.0")

    run = _setup(checkout, path)

    assert run.returncode == 1
    assert "node is v18.19.0, 20 or newer is needed" in run.stderr


def test_a_second_run_says_nothing_and_takes_under_two_seconds(checkout: Path, path: Path) -> None:
    _pretend_installed(checkout, "development")
    started = time.monotonic()

    runs = [_setup(checkout, path), _setup(checkout, path, "--runtime")]

    assert time.monotonic() - started < 2 * len(runs)
    assert [(run.returncode, run.stdout, run.stderr) for run in runs] == [(0, "", "")] * 2


@pytest.mark.parametrize(
    "changed", ["requirements-dev.lock", "requirements-setup.lock", "contracts/package-lock.json"]
)
def test_a_changed_lock_is_installed_anew(checkout: Path, path: Path, changed: str) -> None:
    _pretend_installed(checkout, "development")
    with (checkout / changed).open("a") as file:
        file.write("\n")
    (path / "node").unlink()

    run = _setup(checkout, path)

    assert "no node on PATH" in run.stderr, "it must have set out to install"


def test_what_runs_is_not_enough_for_who_develops(checkout: Path, path: Path) -> None:
    _pretend_installed(checkout, "runtime")
    (path / "node").unlink()

    run, test = _setup(checkout, path, "--runtime"), _setup(checkout, path)

    assert run.returncode == 0
    assert test.returncode == 1


def test_a_moved_checkout_is_installed_anew(checkout: Path, path: Path) -> None:
    _pretend_installed(checkout, "development")
    moved = checkout.rename(checkout.with_name("moved"))
    (path / "node").unlink()

    assert _setup(moved, path).returncode == 1


def test_a_binary_that_went_missing_is_noticed(checkout: Path, path: Path) -> None:
    _pretend_installed(checkout, "development")
    next(checkout.glob("contracts/node_modules/@foundry-rs/anvil*/bin/anvil")).unlink()
    (path / "node").unlink()

    assert _setup(checkout, path).returncode == 1


def _setup(checkout: Path, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BASH, str(checkout / "scripts" / "setup"), *arguments],
        env={"PATH": str(path), "HOME": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )


def _pretend_installed(checkout: Path, mode: str) -> None:
    """Leave what a good installation leaves, in so far as set-up looks at it."""
    files = [checkout / ".venv" / "bin" / name for name in ("python", "settle")]
    for name in ("anvil", "forge"):
        folder = checkout / "contracts" / "node_modules" / "@foundry-rs" / f"{name}-linux-amd64"
        files.append(folder / "bin" / name)
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    ask = f"import json, stamp; print(json.dumps(stamp.stamp({mode!r})))"
    answer = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=checkout / "scripts" / "parts",
        capture_output=True,
        text=True,
        check=True,
    )
    (checkout / ".setup").mkdir()
    (checkout / ".setup" / "stamp.json").write_text(json.dumps(json.loads(answer.stdout)))


def _program(folder: Path, name: str, line: str) -> None:
    file = folder / name
    file.unlink(missing_ok=True)
    file.write_text(f"#!{BASH}\n{line}\n")
    file.chmod(os.stat(BASH).st_mode)
