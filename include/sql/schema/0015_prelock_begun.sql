-- Pre-lock reviews that have begun and not ended, as far as anybody knows: their numbers are taken. begun_at is CJ's time.
CREATE TABLE IF NOT EXISTS cj.prelock_begun (
    review bigint NOT NULL, run_id text NOT NULL, begun_at timestamp with time zone NOT NULL
)
