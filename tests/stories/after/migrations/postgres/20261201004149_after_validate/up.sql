SET lock_timeout = '3s';
SET statement_timeout = '1h';
-- from an interrupted run
-- squawk-ignore ban-drop-constraint
ALTER TABLE "campaigns" DROP CONSTRAINT IF EXISTS "campaigns_reached_present";
ALTER TABLE "campaigns" ADD CONSTRAINT "campaigns_reached_present" CHECK ("reached" IS NOT NULL) NOT VALID;
ALTER TABLE "campaigns" VALIDATE CONSTRAINT "campaigns_reached_present";
INSERT INTO datahub_settings (name, value) VALUES ('epoch:cases', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
-- from an interrupted run
-- squawk-ignore ban-drop-constraint
ALTER TABLE "cases" DROP CONSTRAINT IF EXISTS "cases_urgency_level_present";
ALTER TABLE "cases" ADD CONSTRAINT "cases_urgency_level_present" CHECK ("urgency_level" IS NOT NULL) NOT VALID;
ALTER TABLE "cases" VALIDATE CONSTRAINT "cases_urgency_level_present";
INSERT INTO datahub_settings (name, value) VALUES ('epoch:contacts', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
-- from an interrupted run
-- squawk-ignore ban-drop-constraint
ALTER TABLE "contacts" DROP CONSTRAINT IF EXISTS "contacts_name_present";
ALTER TABLE "contacts" ADD CONSTRAINT "contacts_name_present" CHECK ("name" IS NOT NULL) NOT VALID;
ALTER TABLE "contacts" VALIDATE CONSTRAINT "contacts_name_present";
INSERT INTO datahub_settings (name, value) VALUES ('epoch:leads', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
-- from an interrupted run
-- squawk-ignore ban-drop-constraint
ALTER TABLE "leads" DROP CONSTRAINT IF EXISTS "leads_subject_present";
ALTER TABLE "leads" ADD CONSTRAINT "leads_subject_present" CHECK ("subject" IS NOT NULL) NOT VALID;
ALTER TABLE "leads" VALIDATE CONSTRAINT "leads_subject_present";
INSERT INTO datahub_settings (name, value) VALUES ('epoch:products', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
-- from an interrupted run
-- squawk-ignore ban-drop-constraint
ALTER TABLE "products" DROP CONSTRAINT IF EXISTS "products_number_present";
ALTER TABLE "products" ADD CONSTRAINT "products_number_present" CHECK ("number" IS NOT NULL) NOT VALID;
ALTER TABLE "products" VALIDATE CONSTRAINT "products_number_present";
RESET lock_timeout;
RESET statement_timeout;
