-- Where the last applied row of each journal stands among its inputs, and which starts of the program led there: written
-- in the same transaction as the rows. It holds while its sequence is that of lkpush_outbox; where it is another one, a
-- program that does not know this table has written since.
CREATE TABLE IF NOT EXISTS lkpush_outbox_positions (
    journal text PRIMARY KEY,
    sequence bigint NOT NULL,
    input bigint,
    place bigint,
    starts text NOT NULL,
    applied_at {timestamp} NOT NULL
);
