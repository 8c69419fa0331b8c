SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '1min';
-- a constraint has proved it, so no row is read
-- squawk-ignore adding-not-nullable-field
ALTER TABLE "campaigns" ALTER COLUMN "reached" SET NOT NULL;
-- NOT NULL takes its place
-- squawk-ignore ban-drop-constraint
ALTER TABLE "campaigns" DROP CONSTRAINT "campaigns_reached_present";
-- a constraint has proved it, so no row is read
-- squawk-ignore adding-not-nullable-field
ALTER TABLE "cases" ALTER COLUMN "urgency_level" SET NOT NULL;
-- NOT NULL takes its place
-- squawk-ignore ban-drop-constraint
ALTER TABLE "cases" DROP CONSTRAINT "cases_urgency_level_present";
-- its values are elsewhere or given up, and older programs refuse by now
-- squawk-ignore ban-drop-column
ALTER TABLE "cases" DROP COLUMN "urgency";
DELETE FROM datahub_settings WHERE name = 'column:cases.urgency';
INSERT INTO datahub_settings (name, value) VALUES ('epoch:competitors', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
DROP TRIGGER "datahub_equal_competitors_address_street_c1707929" ON "competitors";
-- only the trigger called it
-- squawk-ignore ban-drop-function
DROP FUNCTION "datahub_equal_competitors_address_street_c1707929"();
-- its values are elsewhere or given up, and older programs refuse by now
-- squawk-ignore ban-drop-column
ALTER TABLE "competitors" DROP COLUMN "street";
DELETE FROM datahub_settings WHERE name = 'column:competitors.street';
DROP TRIGGER "datahub_equal_competitors_address_town_d2b5f6b8" ON "competitors";
-- only the trigger called it
-- squawk-ignore ban-drop-function
DROP FUNCTION "datahub_equal_competitors_address_town_d2b5f6b8"();
-- its values are elsewhere or given up, and older programs refuse by now
-- squawk-ignore ban-drop-column
ALTER TABLE "competitors" DROP COLUMN "town";
DELETE FROM datahub_settings WHERE name = 'column:competitors.town';
-- a constraint has proved it, so no row is read
-- squawk-ignore adding-not-nullable-field
ALTER TABLE "contacts" ALTER COLUMN "name" SET NOT NULL;
-- NOT NULL takes its place
-- squawk-ignore ban-drop-constraint
ALTER TABLE "contacts" DROP CONSTRAINT "contacts_name_present";
-- its values are elsewhere or given up, and older programs refuse by now
-- squawk-ignore ban-drop-column
ALTER TABLE "contacts" DROP COLUMN "first_name";
DELETE FROM datahub_settings WHERE name = 'column:contacts.first_name';
-- its values are elsewhere or given up, and older programs refuse by now
-- squawk-ignore ban-drop-column
ALTER TABLE "contacts" DROP COLUMN "last_name";
DELETE FROM datahub_settings WHERE name = 'column:contacts.last_name';
DROP TRIGGER "datahub_equal_leads_subject_d23820ec" ON "leads";
-- only the trigger called it
-- squawk-ignore ban-drop-function
DROP FUNCTION "datahub_equal_leads_subject_d23820ec"();
-- its values are elsewhere or given up, and older programs refuse by now
-- squawk-ignore ban-drop-column
ALTER TABLE "leads" DROP COLUMN "topic";
DELETE FROM datahub_settings WHERE name = 'column:leads.topic';
-- a constraint has proved it, so no row is read
-- squawk-ignore adding-not-nullable-field
ALTER TABLE "leads" ALTER COLUMN "subject" SET NOT NULL;
-- NOT NULL takes its place
-- squawk-ignore ban-drop-constraint
ALTER TABLE "leads" DROP CONSTRAINT "leads_subject_present";
-- a constraint has proved it, so no row is read
-- squawk-ignore adding-not-nullable-field
ALTER TABLE "products" ALTER COLUMN "number" SET NOT NULL;
-- NOT NULL takes its place
-- squawk-ignore ban-drop-constraint
ALTER TABLE "products" DROP CONSTRAINT "products_number_present";
INSERT INTO datahub_settings (name, value) VALUES ('epoch:sites', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
-- its values are elsewhere or given up, and older programs refuse by now
-- squawk-ignore ban-drop-column
ALTER TABLE "sites" DROP COLUMN "hours";
DELETE FROM datahub_settings WHERE name = 'column:sites.hours';
INSERT INTO datahub_settings (name, value) VALUES ('epoch:territories', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
-- its values are elsewhere or given up, and older programs refuse by now
-- squawk-ignore ban-drop-column
ALTER TABLE "territories" DROP COLUMN "description";
DELETE FROM datahub_settings WHERE name = 'column:territories.description';
-- its values are elsewhere or given up, and older programs refuse by now
-- squawk-ignore ban-drop-column
ALTER TABLE "territories" DROP COLUMN "nickname";
DELETE FROM datahub_settings WHERE name = 'column:territories.nickname';
INSERT INTO datahub_settings (name, value) VALUES ('epoch:calls', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
-- agreed to, and older programs refuse by now
-- squawk-ignore ban-drop-table
DROP TABLE "calls";
DELETE FROM datahub_records WHERE model = 'calls';
DELETE FROM datahub_watermarks WHERE model = 'calls';
DELETE FROM datahub_pulls WHERE model = 'calls';
DELETE FROM datahub_swept WHERE model = 'calls';
DELETE FROM datahub_quarantine WHERE model = 'calls';
DELETE FROM datahub_settings WHERE substr(name, 1, 13) = 'column:calls.';
INSERT INTO datahub_settings (name, value) VALUES ('epoch:leaflets', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
-- agreed to, and older programs refuse by now
-- squawk-ignore ban-drop-table
DROP TABLE "leaflets";
DELETE FROM datahub_records WHERE model = 'leaflets';
DELETE FROM datahub_watermarks WHERE model = 'leaflets';
DELETE FROM datahub_pulls WHERE model = 'leaflets';
DELETE FROM datahub_swept WHERE model = 'leaflets';
DELETE FROM datahub_quarantine WHERE model = 'leaflets';
DELETE FROM datahub_settings WHERE substr(name, 1, 16) = 'column:leaflets.';
INSERT INTO datahub_settings (name, value) VALUES ('epoch:partners', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
-- agreed to, and older programs refuse by now
-- squawk-ignore ban-drop-table
DROP TABLE "partners";
DELETE FROM datahub_records WHERE model = 'partners';
DELETE FROM datahub_watermarks WHERE model = 'partners';
DELETE FROM datahub_pulls WHERE model = 'partners';
DELETE FROM datahub_swept WHERE model = 'partners';
DELETE FROM datahub_quarantine WHERE model = 'partners';
DELETE FROM datahub_settings WHERE substr(name, 1, 16) = 'column:partners.';
INSERT INTO datahub_settings (name, value) VALUES ('epoch:visits', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
-- agreed to, and older programs refuse by now
-- squawk-ignore ban-drop-table
DROP TABLE "visits";
DELETE FROM datahub_records WHERE model = 'visits';
DELETE FROM datahub_watermarks WHERE model = 'visits';
DELETE FROM datahub_pulls WHERE model = 'visits';
DELETE FROM datahub_swept WHERE model = 'visits';
DELETE FROM datahub_quarantine WHERE model = 'visits';
DELETE FROM datahub_settings WHERE substr(name, 1, 14) = 'column:visits.';
