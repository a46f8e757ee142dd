CREATE TABLE IF NOT EXISTS org_licenses (
    organization_id {organization_id} PRIMARY KEY,
    monthly_recording_minutes double precision
);
