"""A whole night with chunks, journal and report in a bucket: nothing but the setting changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from include.restatements.journal.journal import ROOT, ChunkRef, Journal, run_folder
from include.restatements.reconcile import reconcile
from include.restatements.settings import Run
from include.sandbox.process import start_sandbox
from include.storage.bucket import ObjectFolder
from include.warehouse.base import WarehouseLocation
from lab.bulk import load_bulk, write_bulk
from lab.night import run_night
from lab.real_month import settings_for

MIDNIGHT = datetime(2026, 11, 19, tzinfo=UTC)
TO_SEND = 1_500
"""Of 2,000 bulk orders: restated, cancelled and missed."""


def test_a_night_in_a_bucket_is_posted_once_and_every_order_matches(tmp_path: Path, bucket: ObjectFolder) -> None:
    write_bulk(tmp_path / "bulk", MIDNIGHT, 2_000)
    load_bulk(tmp_path / "warehouse.duckdb", tmp_path / "bulk")
    location = WarehouseLocation("duckdb", path=str(tmp_path / "warehouse.duckdb"))
    run = Run("scheduled__2026-11-19T02:00:00+00:00", MIDNIGHT - timedelta(days=1), MIDNIGHT)
    with start_sandbox(tmp_path / "sandbox.sqlite", seed=tmp_path / "bulk") as sandbox:
        sandbox.control.set_clock(MIDNIGHT + timedelta(hours=2))
        settings = replace(settings_for(sandbox.url, tmp_path), storage=bucket.url, storage_conn_id=bucket.conn_id, chunk_size=100)

        played = run_night(run, settings, location)
        assert played.prepared.summary["to_send"] == sum(s.accepted for s in played.submitted) == TO_SEND
        assert (played.published.incomplete, played.published.problems) == (0, [])
        posted = [line["order_id"] for line in sandbox.control.submissions()]
        assert len(posted) == len(set(posted)) == TO_SEND

        journal = Journal(bucket)
        manifest = journal.manifest(run_folder(run.run_id))
        assert manifest is not None
        assert len(manifest.chunks) == TO_SEND // 100
        for chunk in manifest.chunks:
            found = journal.visit(ChunkRef.parse(chunk.ref))
            assert found.answer is not None
            assert journal.orders(found.ref).num_rows == len(found.answer.accepted) == 100

        again = run_night(run, settings, location)
        other = run_night(Run("manual__again", run.interval_start, run.interval_end), settings, location)
        assert (again.prepared.summary["to_send"], other.prepared.summary["to_send"]) == (0, 0)
        assert [line["order_id"] for line in sandbox.control.submissions()] == posted

        sandbox.control.advance(3_660)
        result = reconcile(settings, location, "reconciled")
    assert {status: n for status, n in result.counts.items() if n} == {"matched": TO_SEND}
    assert result.report == f"{bucket.url}/{ROOT}/reports/reconciled/report.html"
    assert b"</html>" in (bucket.read(f"{ROOT}/reports/reconciled/report.html") or b"")
