-- Usage of each organization and UTC day: seconds on the day they passed, ended uses and billed minutes on the day of
-- the end. Rows are added to, and a correction may be negative.
CREATE TABLE IF NOT EXISTS lkpush_usage_daily (
    organization_id {organization_id} NOT NULL,
    usage_date date NOT NULL,
    usage text NOT NULL,
    seconds double precision NOT NULL,
    count bigint NOT NULL,
    billed_minutes bigint NOT NULL
);
