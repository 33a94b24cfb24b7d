-- Of which plan a night is, by the digest that an answer counts for, and how many questions its run had been asked before that plan was made: an answer about
-- another plan of the run says nothing of it. Null in those from before it was kept: all the questions of its run are taken for its own.
ALTER TABLE cj.nights ADD COLUMN IF NOT EXISTS plan_digest text;

ALTER TABLE cj.nights ADD COLUMN IF NOT EXISTS questions_before bigint
