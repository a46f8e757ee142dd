CREATE TABLE IF NOT EXISTS room_presence (
    participant_sid text NOT NULL,
    room_sid text NOT NULL,
    room_id {room_id},
    organization_id {organization_id},
    user_id bigint NOT NULL,
    identity text NOT NULL,
    joined_at {timestamp} NOT NULL
);
