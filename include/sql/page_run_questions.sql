-- What a person was asked of a run, and answered; the last question first.
SELECT a.question, a.plan_digest, a.at_stake, a.unpriced, a.reasons, a.shown, a.asked_at, a.answer, a.answered_by, a.answered_at
FROM cj.approvals AS a
WHERE a.run_id = :run
ORDER BY a.question DESC
