"""The few questions the rehearsal asks Airflow's REST API, as an operator would from the UI."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from typing import Any

from include.commands.up import LOOPBACK


class Airflow:
    """A running API server on loopback where everybody is admin."""

    def __init__(self, port: int) -> None:
        self._base = f"http://{LOOPBACK}:{port}"
        self._token = str(self._ask("GET", "/auth/token")["access_token"])

    def dags(self) -> set[str]:
        return {str(dag["dag_id"]) for dag in self._ask("GET", "/api/v2/dags?limit=100")["dags"]}

    def unpause(self, dag_id: str) -> None:
        self._ask("PATCH", f"/api/v2/dags/{dag_id}?update_mask=is_paused", {"is_paused": False})

    def runs(self, dag_id: str, limit: int = 10) -> list[dict[str, Any]]:
        """Newest first."""
        return list(self._ask("GET", f"/api/v2/dags/{dag_id}/dagRuns?order_by=-run_after&limit={limit}")["dag_runs"])

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        return list(self._ask("GET", f"/api/v2/dags/{dag_id}/dagRuns/{_quoted(run_id)}/taskInstances?limit=200")["task_instances"])

    def clear(self, task: dict[str, Any]) -> None:
        """Has one task instance run again at once."""
        which = [task["task_id"], task["map_index"]] if task["map_index"] >= 0 else task["task_id"]
        body = {"dry_run": False, "dag_run_id": task["dag_run_id"], "task_ids": [which], "only_failed": False}
        self._ask("POST", f"/api/v2/dags/{task['dag_id']}/clearTaskInstances", body)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Content-Type": "application/json"}
        if path != "/auth/token":
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._base}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _quoted(run_id: str) -> str:
    return urllib.parse.quote(run_id, safe="")
