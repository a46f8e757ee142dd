CREATE INDEX IF NOT EXISTS idx_recordings_completed_ended_at
    ON recordings (ended_at) WHERE status = 'completed';
