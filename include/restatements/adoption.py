"""An account whose advertiser_id was corrected: what was planned and sent under the old one is its own."""

from __future__ import annotations

from collections.abc import Mapping

from include.warehouse.base import Session


def adopt(session: Session, advertisers: Mapping[str, str]) -> None:
    """Inside the caller's transaction: rows of an enterprise go under the advertiser that its connection names now (enterprise id to advertiser id).

    Verdicts are given by advertiser: under the old one nobody would look at them again.
    """
    for enterprise_id, advertiser_id in advertisers.items():
        for table in ("submissions", "reconciliation"):
            session.execute(
                f"UPDATE cj.{table} SET advertiser_id = :advertiser_id WHERE enterprise_id = :enterprise_id "
                "AND (advertiser_id < :advertiser_id OR advertiser_id > :advertiser_id)",  # what an index finds: almost always none
                {"advertiser_id": advertiser_id, "enterprise_id": enterprise_id},
            )
