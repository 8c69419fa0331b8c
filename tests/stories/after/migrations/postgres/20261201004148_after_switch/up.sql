SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '1h';
INSERT INTO datahub_settings (name, value) VALUES ('epoch:campaigns', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
DROP TRIGGER "datahub_follow_campaigns_reached__next_b12ac3d0" ON "campaigns";
-- only the trigger called it
-- squawk-ignore ban-drop-function
DROP FUNCTION "datahub_follow_campaigns_reached__next_b12ac3d0"();
-- its values are elsewhere or given up, and older programs refuse by now
-- squawk-ignore ban-drop-column
ALTER TABLE "campaigns" DROP COLUMN "reached";
-- older programs refuse by now
-- squawk-ignore renaming-column
ALTER TABLE "campaigns" RENAME COLUMN "reached__next" TO "reached";
INSERT INTO datahub_settings (name, value) VALUES ('column:campaigns.reached', 'integer') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('epoch:invoices', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
DROP TRIGGER "datahub_follow_invoices_discount__next_cd81dbaf" ON "invoices";
-- only the trigger called it
-- squawk-ignore ban-drop-function
DROP FUNCTION "datahub_follow_invoices_discount__next_cd81dbaf"();
-- its values are elsewhere or given up, and older programs refuse by now
-- squawk-ignore ban-drop-column
ALTER TABLE "invoices" DROP COLUMN "discount";
-- older programs refuse by now
-- squawk-ignore renaming-column
ALTER TABLE "invoices" RENAME COLUMN "discount__next" TO "discount";
INSERT INTO datahub_settings (name, value) VALUES ('column:invoices.discount', 'decimal(4) or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
-- older programs refuse by now
-- squawk-ignore renaming-table
ALTER TABLE "deals" RENAME TO "opportunities";
UPDATE datahub_settings SET name = 'column:opportunities.' || substr(name, 14) WHERE substr(name, 1, 13) = 'column:deals.';
DELETE FROM datahub_settings WHERE name IN ('carried:deals', 'carried:opportunities');
