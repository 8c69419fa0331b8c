INSERT INTO datahub_settings (name, value) VALUES ('epoch:campaigns', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
ALTER TABLE "campaigns" ADD COLUMN "reached__next" INTEGER;
UPDATE "campaigns" SET "reached__next" = CAST("reached" AS INTEGER) WHERE "reached" IS NOT NULL AND "reached__next" IS NULL AND "reached" BETWEEN -2147483648 AND 2147483647;
ALTER TABLE "campaigns" DROP COLUMN "reached";
ALTER TABLE "campaigns" RENAME COLUMN "reached__next" TO "reached";
INSERT INTO datahub_settings (name, value) VALUES ('column:campaigns.reached', 'integer') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('epoch:invoices', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
ALTER TABLE "invoices" ADD COLUMN "discount__next" BIGINT;
UPDATE "invoices" SET "discount__next" = ("discount" * 100) WHERE "discount" IS NOT NULL AND "discount__next" IS NULL AND "discount" BETWEEN -92233720368547758 AND 92233720368547758;
ALTER TABLE "invoices" DROP COLUMN "discount";
ALTER TABLE "invoices" RENAME COLUMN "discount__next" TO "discount";
INSERT INTO datahub_settings (name, value) VALUES ('column:invoices.discount', 'decimal(4) or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('epoch:deals', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
INSERT INTO datahub_settings (name, value) VALUES ('epoch:opportunities', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
ALTER TABLE "deals" RENAME TO "opportunities";
UPDATE datahub_records SET model = 'opportunities' WHERE model = 'deals';
UPDATE datahub_intents SET model = 'opportunities' WHERE model = 'deals';
UPDATE datahub_watermarks SET model = 'opportunities' WHERE model = 'deals';
UPDATE datahub_pulls SET model = 'opportunities' WHERE model = 'deals';
UPDATE datahub_quarantine SET model = 'opportunities' WHERE model = 'deals';
DROP TRIGGER datahub_history_no_update;
UPDATE datahub_history SET model = 'opportunities' WHERE model = 'deals';
CREATE TABLE IF NOT EXISTS datahub_sequence (value BIGINT NOT NULL);
INSERT INTO datahub_sequence (value) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM datahub_sequence);
DROP TRIGGER IF EXISTS datahub_history_no_update;
CREATE TRIGGER datahub_history_no_update BEFORE UPDATE ON datahub_history
WHEN OLD.erased IS NOT NULL
  OR NOT EXISTS (SELECT 1 FROM datahub_erasures AS erasure
                 WHERE erasure.sequence = NEW.erased AND erasure.entity = OLD.entity AND erasure.id = OLD.id)
  OR (NEW.sequence, NEW.entity, NEW.id, NEW.model, NEW.version, NEW.at, NEW.actor,
      NEW.program, NEW.origin, NEW.kind, NEW.operation, NEW.mapping_id, NEW.modified,
      NEW.modified_by, NEW.skew_ms)
     IS NOT (OLD.sequence, OLD.entity, OLD.id, OLD.model, OLD.version, OLD.at, OLD.actor,
      OLD.program, OLD.origin, OLD.kind, OLD.operation, OLD.mapping_id, OLD.modified,
      OLD.modified_by, OLD.skew_ms)
  OR NEW.constants <> '{}'
  OR EXISTS (SELECT 1 FROM json_each(NEW.changes) AS change
             WHERE json_array_length(change.value, '$.from') > 0 OR json_array_length(change.value, '$.to') > 0
             OR json_type(change.value, '$.note') IS NOT NULL)
  OR EXISTS (SELECT 1 FROM json_each(NEW.local) AS change
             WHERE json_type(change.value, '$.from') <> 'null' OR json_type(change.value, '$.to') IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'datahub_history is append-only: its rows are never changed, but by erase()'); END;
CREATE TRIGGER IF NOT EXISTS datahub_history_no_replace BEFORE INSERT ON datahub_history
WHEN EXISTS (SELECT 1 FROM datahub_history WHERE sequence = NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'datahub_history is append-only: its rows are never replaced'); END;
CREATE TRIGGER IF NOT EXISTS datahub_erasures_no_replace BEFORE INSERT ON datahub_erasures
WHEN EXISTS (SELECT 1 FROM datahub_erasures WHERE sequence = NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'datahub_erasures is append-only: its rows are never replaced'); END;
CREATE TRIGGER IF NOT EXISTS datahub_history_no_delete BEFORE DELETE ON datahub_history
BEGIN SELECT RAISE(ABORT, 'datahub_history is append-only: its rows are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS datahub_erasures_no_update BEFORE UPDATE ON datahub_erasures
BEGIN SELECT RAISE(ABORT, 'datahub_erasures is append-only: its rows are never changed'); END;
CREATE TRIGGER IF NOT EXISTS datahub_erasures_no_delete BEFORE DELETE ON datahub_erasures
BEGIN SELECT RAISE(ABORT, 'datahub_erasures is append-only: its rows are never deleted'); END;
UPDATE datahub_settings SET name = 'column:opportunities.' || substr(name, 14) WHERE substr(name, 1, 13) = 'column:deals.';
