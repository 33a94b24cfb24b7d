"""Links: always relative, so that they hold under any prefix, whatever stands before the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from include.web import assets

if TYPE_CHECKING:
    from fastapi import Request


@dataclass(frozen=True)
class Where:
    """Where a request stands within the pages. `path` begins with a slash."""

    path: str
    depth: int
    """How many folders it is below the pages' own root, as a browser counts."""

    @classmethod
    def of(cls, request: Request) -> Where:
        """Told by the path as it was sent: a slash within a name is written otherwise there."""
        root = request.scope.get("root_path", "")
        path = request.url.path
        inner = path[len(root) :] if root and path.startswith(root) else path
        raw = request.scope.get("raw_path", b"").decode("ascii", "replace").split("?")[0]
        for prefix in (root, quote(root)):
            if prefix and raw.startswith(prefix):
                raw = raw[len(prefix) :]
                break
        return cls(inner or "/", max(raw.count("/") - 1, 0))

    def to(self, path: str, **_: Any) -> str:
        """A link to `path`, which is written from the pages' root without a slash before it: `breaks?status=missing`."""
        return ("../" * self.depth or "./") + path

    def asset(self, name: str) -> str:
        """A link to a file that is shipped."""
        return self.to(f"static/{name}?v={assets.version(name)}")

    def airflow(self, path: str) -> str:
        """A link to a page of Airflow's, written from its root."""
        return self.to(f"../{path}")
