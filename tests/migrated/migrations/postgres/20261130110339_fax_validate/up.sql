SET lock_timeout = '3s';
SET statement_timeout = '1h';
INSERT INTO datahub_settings (name, value) VALUES ('epoch:firms', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
-- from an interrupted run
-- squawk-ignore ban-drop-constraint
ALTER TABLE "firms" DROP CONSTRAINT IF EXISTS "firms_fax_present";
ALTER TABLE "firms" ADD CONSTRAINT "firms_fax_present" CHECK ("fax" IS NOT NULL) NOT VALID;
ALTER TABLE "firms" VALIDATE CONSTRAINT "firms_fax_present";
RESET lock_timeout;
RESET statement_timeout;
