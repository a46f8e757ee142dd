CREATE TABLE IF NOT EXISTS organizations (
    id {generated_key},
    workos_org_id text UNIQUE,
    name text
);
