-- How far the rows of each journal have been applied: written in the same transaction as the rows.
CREATE TABLE IF NOT EXISTS lkpush_outbox (
    journal text PRIMARY KEY,
    sequence bigint NOT NULL,
    applied_at {timestamp} NOT NULL
);
