CREATE TABLE IF NOT EXISTS participant_activity_metrics (
    user_id bigint NOT NULL,
    organization_id {organization_id} NOT NULL,
    activity_date date NOT NULL,
    total_duration_seconds double precision NOT NULL,
    session_count bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_participant_activity_metrics_activity_date
    ON participant_activity_metrics (activity_date);
