SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '1min';
ALTER TABLE "firms" ADD COLUMN "fax" TEXT DEFAULT '';
INSERT INTO datahub_settings (name, value) VALUES ('column:firms.fax', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
