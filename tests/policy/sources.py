"""The package's own files, as the policies read them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def modules(*folders: str) -> list[Path]:
    """The Python files below these folders, as paths from the repository's root."""
    return sorted(path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def tree(module: Path) -> ast.Module:
    """The module as Python parses it."""
    return ast.parse((ROOT / module).read_text(encoding="utf-8"), filename=str(module))


def imports(module: Path) -> Iterator[tuple[str, int]]:
    """Every module imported anywhere in this one, with the line."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno


def kept_texts() -> list[tuple[Path, str]]:
    """Every text file that git keeps; outside of a clone, every file that would be kept."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    names = listed.stdout.split("\0") if listed.returncode == 0 else _unversioned()
    found = []
    for name in filter(None, names):
        try:
            found.append((Path(name), (ROOT / name).read_text(encoding="utf-8")))
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
    return found


def _unversioned() -> list[str]:
    skipped = {".venv", ".airflow", ".run", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "__pycache__"}
    files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [str(path) for path in files if not skipped & set(path.parts)]
