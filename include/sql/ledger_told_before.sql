-- Of what was set aside just now, what an earlier reading said already: a record is read again by every sweep that reaches it.
DELETE FROM cj.ledger_set_aside
WHERE advertiser_id = :advertiser_id AND set_aside_at = :now AND EXISTS (
    SELECT 1 FROM cj.ledger_set_aside AS b
    WHERE b.advertiser_id = cj.ledger_set_aside.advertiser_id AND b.set_aside_at < cj.ledger_set_aside.set_aside_at
        AND b.what = cj.ledger_set_aside.what AND b.why = cj.ledger_set_aside.why AND b.raw = cj.ledger_set_aside.raw
)
