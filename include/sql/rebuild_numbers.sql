-- After the tables were filled from the journal. What was said before plans had numbers gets one as include/sql/schema/0004_plan_numbers.sql gives it. And
-- every record counts as read after every plan: the ledger may have been read anew since, so only when a record was posted says what it is news to.
UPDATE cj.quarantine SET plan_number = CAST(EXTRACT(EPOCH FROM quarantined_at) * 1000 AS bigint) - 100000000000000 WHERE plan_number IS NULL;

UPDATE cj.skipped SET plan_number = CAST(EXTRACT(EPOCH FROM skipped_at) * 1000 AS bigint) - 100000000000000 WHERE plan_number IS NULL;

UPDATE cj.submissions SET known_reading = -1
