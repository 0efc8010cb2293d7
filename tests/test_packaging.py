"""The frame holds: pins, packages, one-way imports, and the same files whatever folder Python starts in."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

import mesabench

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PLACES = {"mesabench.envs": "envs", "mesabench.agents": "agents", "mesabench.configs": "configs"}


def python(code: str, folder: Path, installed: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter in `folder`; `installed` comes before what pip installed."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(installed)} if installed else {},
        capture_output=True,
        text=True,
        timeout=60,
    )


def distribution(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def imports(file: Path) -> set[str]:
    """The absolute names of all modules that a source file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as a wheel lays it out."""
    site = tmp_path_factory.mktemp("site-packages")
    caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "mesabench", site / "mesabench", ignore=caches)
    for package, place in PLACES.items():
        shutil.copytree(ROOT / place, site / package.replace(".", "/"), ignore=caches)
    return site


def test_every_direct_dependency_is_pinned():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    extras = PROJECT["project"]["optional-dependencies"]
    ours = [names for extra, names in extras.items() if extra != "compat"]  # tried as they come
    wanted = {distribution(name) for name in chain(PROJECT["project"]["dependencies"], *ours)}
    assert wanted - {"mesabench"} <= pins.keys()


def test_the_extra_all_is_all():
    extras = PROJECT["project"]["optional-dependencies"]
    (union,) = extras["all"]
    assert set(union.removeprefix("mesabench[").removesuffix("]").split(",")) == extras.keys() - {
        "all",
        "compat",
        "cuda",  # gigabytes that are of use with an NVIDIA GPU alone
    }


def test_the_version_is_the_same_everywhere():
    assert f"version: {mesabench.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert not re.search(r"^version", (ROOT / "pyproject.toml").read_text().split("[tool.")[0], re.MULTILINE)


def test_the_package_list_names_every_package():
    folders = {place: package for package, place in PLACES.items()} | {"mesabench": "mesabench"}
    found = {
        ".".join([folders[file.relative_to(ROOT).parts[0]], *file.parent.relative_to(ROOT).parts[1:]])
        for folder in folders
        for file in (ROOT / folder).rglob("__init__.py")
    }
    assert found == set(PROJECT["tool"]["setuptools"]["packages"])


def test_data_files_are_shipped():
    shipped = set()
    for package, patterns in PROJECT["tool"]["setuptools"]["package-data"].items():
        folder = ROOT / PLACES.get(package, package)
        shipped |= {str(file) for pattern in patterns for file in folder.glob(pattern)}
    for folder in ["mesabench", *PLACES.values()]:
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and file.suffix != ".py" and file.parent.name != "__pycache__":
                assert str(file) in shipped, f"no pattern of package-data ships {file.relative_to(ROOT)}"


@pytest.mark.parametrize("package", PLACES)
def test_the_checkout_wins_in_its_own_root(package, installed):
    """Where a wheel is installed too, Python started in the checkout uses the checkout, and only that."""
    done = python(f"import {package} as p; print(p.__file__)", folder=ROOT, installed=installed)
    assert done.stdout.strip() == str(ROOT / PLACES[package] / "__init__.py"), done.stderr


@pytest.mark.parametrize("package", PLACES)
def test_elsewhere_the_installed_package_is_used(package, installed, tmp_path):
    done = python(f"import {package} as p; print(p.__file__)", folder=tmp_path, installed=installed)
    assert done.stdout.strip() == str(installed / package.replace(".", "/") / "__init__.py"), done.stderr


@pytest.mark.parametrize("package", PLACES)
def test_the_tested_package_is_this_checkout_from_every_folder(package, tmp_path):
    done = python(f"import {package} as p; print(p.__file__)", folder=tmp_path)
    assert done.stdout.strip() == str(ROOT / PLACES[package] / "__init__.py"), done.stderr


@pytest.mark.parametrize("package", PLACES)
def test_the_plain_folder_name_is_refused(package):
    done = python(f"import {PLACES[package]}", folder=ROOT)
    assert done.returncode == 1
    assert f"ImportError: import `{package}`, not `{PLACES[package]}`" in done.stderr


def test_the_core_is_light(tmp_path):
    heavy = {"torch", "stable_baselines3", "polars", "matplotlib", "typer", "rich", "jinja2", "pygame"}
    done = python("import sys, mesabench; print(*sys.modules)", folder=tmp_path)
    assert "mesabench" in done.stdout.split(), done.stderr
    assert not heavy & set(done.stdout.split())


def test_pytorch_is_imported_by_agents_only():
    for folder in ("mesabench", "envs"):
        for file in (ROOT / folder).rglob("*.py"):
            # the conformance kit runs SB3's own checker on an environment, where SB3 is installed
            allowed = {"stable_baselines3"} if "testing" in file.parts else set()
            roots = {name.partition(".")[0] for name in imports(file)} - allowed
            assert not roots & {"torch", "stable_baselines3", "sb3_contrib"}, file


def test_the_core_knows_no_environment_and_no_agent_by_name():
    for file in (ROOT / "mesabench").rglob("*.py"):
        named = [name for name in imports(file) if name.startswith(("mesabench.envs.", "mesabench.agents."))]
        assert not named, f"{file} imports {named}"


def test_the_readme_has_a_place_for_the_environments():
    readme = (ROOT / "README.md").read_text()
    assert readme.index("<!-- environments -->") < readme.index("<!-- /environments -->")
