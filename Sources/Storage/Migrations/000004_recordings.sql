CREATE TABLE IF NOT EXISTS recordings (
    egress_id text NOT NULL,
    room_id {room_id},
    organization_id {organization_id},
    request_type text NOT NULL,
    status text NOT NULL,
    started_at {timestamp},
    ended_at {timestamp} NOT NULL,
    duration_seconds double precision,
    size_bytes bigint NOT NULL,
    location text NOT NULL,
    error text NOT NULL,
    expires_at {timestamp} NOT NULL
);
