CREATE TABLE IF NOT EXISTS rooms (
    id text PRIMARY KEY,
    organization_id {organization_id}
);
