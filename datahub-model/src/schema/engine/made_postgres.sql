CREATE TABLE IF NOT EXISTS datahub_records (model TEXT NOT NULL, id UUID NOT NULL, modified TIMESTAMP WITH TIME ZONE NOT NULL, created TIMESTAMP WITH TIME ZONE, modified_by UUID, seen TEXT NOT NULL, mapping_id BIGINT NOT NULL, version BIGINT NOT NULL, state TEXT NOT NULL, reason TEXT, complete_for TEXT, outdated TEXT, outdated_at BIGINT, PRIMARY KEY (model, id), CHECK (state IN ('row', 'tombstone')))
CREATE TABLE IF NOT EXISTS datahub_intents (operation UUID NOT NULL, entity TEXT NOT NULL, id UUID NOT NULL, model TEXT NOT NULL, write TEXT NOT NULL, body TEXT NOT NULL, local TEXT, actor TEXT NOT NULL, program TEXT NOT NULL, lease_holder UUID NOT NULL, lease_until TIMESTAMP WITH TIME ZONE NOT NULL, opened_at TIMESTAMP WITH TIME ZONE NOT NULL, closed_at TIMESTAMP WITH TIME ZONE, verdict TEXT, mapping_id BIGINT NOT NULL, finished BIGINT, quiet_until TIMESTAMP WITH TIME ZONE, PRIMARY KEY (operation))
CREATE TABLE IF NOT EXISTS datahub_history (sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, entity TEXT NOT NULL, id UUID NOT NULL, model TEXT NOT NULL, version BIGINT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, actor TEXT NOT NULL, program TEXT NOT NULL, origin TEXT NOT NULL, kind TEXT NOT NULL, operation UUID, changes TEXT NOT NULL, constants TEXT NOT NULL, local TEXT NOT NULL, mapping_id BIGINT NOT NULL, modified TIMESTAMP WITH TIME ZONE, modified_by UUID, skew_ms BIGINT, erased BIGINT)
CREATE TABLE IF NOT EXISTS datahub_erasures (sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, entity TEXT NOT NULL, id UUID NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, actor TEXT NOT NULL, program TEXT NOT NULL, reason TEXT NOT NULL)
CREATE TABLE IF NOT EXISTS datahub_watermarks (model TEXT NOT NULL, mapping_id BIGINT NOT NULL, run UUID NOT NULL, next TEXT, pages BIGINT NOT NULL, records BIGINT NOT NULL, stored_at TIMESTAMP WITH TIME ZONE NOT NULL, PRIMARY KEY (model))
CREATE TABLE IF NOT EXISTS datahub_pulls (model TEXT NOT NULL, scope TEXT NOT NULL, run UUID NOT NULL, attributes TEXT NOT NULL, next TEXT, pages BIGINT NOT NULL, records BIGINT NOT NULL, stored_at TIMESTAMP WITH TIME ZONE NOT NULL, watermark TIMESTAMP WITH TIME ZONE, since TIMESTAMP WITH TIME ZONE, begun TIMESTAMP WITH TIME ZONE, newest TIMESTAMP WITH TIME ZONE, asked_at TIMESTAMP WITH TIME ZONE, checked_at TIMESTAMP WITH TIME ZONE, version BIGINT, PRIMARY KEY (model, scope))
CREATE TABLE IF NOT EXISTS datahub_swept (model TEXT NOT NULL, id UUID NOT NULL, PRIMARY KEY (model, id))
CREATE TABLE IF NOT EXISTS datahub_quarantine (entity TEXT NOT NULL, id UUID NOT NULL, model TEXT NOT NULL, reason TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, operation UUID, orphan_of UUID, PRIMARY KEY (model, id))
CREATE TABLE IF NOT EXISTS datahub_settings (name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name))
ALTER TABLE datahub_records ADD COLUMN created TIMESTAMP WITH TIME ZONE
ALTER TABLE datahub_records ADD COLUMN modified_by UUID
ALTER TABLE datahub_records ADD COLUMN reason TEXT
ALTER TABLE datahub_records ADD COLUMN complete_for TEXT
ALTER TABLE datahub_records ADD COLUMN outdated TEXT
ALTER TABLE datahub_records ADD COLUMN outdated_at BIGINT
ALTER TABLE datahub_intents ADD COLUMN local TEXT
ALTER TABLE datahub_intents ADD COLUMN closed_at TIMESTAMP WITH TIME ZONE
ALTER TABLE datahub_intents ADD COLUMN verdict TEXT
ALTER TABLE datahub_intents ADD COLUMN finished BIGINT
ALTER TABLE datahub_intents ADD COLUMN quiet_until TIMESTAMP WITH TIME ZONE
ALTER TABLE datahub_history ADD COLUMN operation UUID
ALTER TABLE datahub_history ADD COLUMN modified TIMESTAMP WITH TIME ZONE
ALTER TABLE datahub_history ADD COLUMN modified_by UUID
ALTER TABLE datahub_history ADD COLUMN skew_ms BIGINT
ALTER TABLE datahub_history ADD COLUMN erased BIGINT
ALTER TABLE datahub_watermarks ADD COLUMN next TEXT
ALTER TABLE datahub_pulls ADD COLUMN next TEXT
ALTER TABLE datahub_pulls ADD COLUMN watermark TIMESTAMP WITH TIME ZONE
ALTER TABLE datahub_pulls ADD COLUMN since TIMESTAMP WITH TIME ZONE
ALTER TABLE datahub_pulls ADD COLUMN begun TIMESTAMP WITH TIME ZONE
ALTER TABLE datahub_pulls ADD COLUMN newest TIMESTAMP WITH TIME ZONE
ALTER TABLE datahub_pulls ADD COLUMN asked_at TIMESTAMP WITH TIME ZONE
ALTER TABLE datahub_pulls ADD COLUMN checked_at TIMESTAMP WITH TIME ZONE
ALTER TABLE datahub_pulls ADD COLUMN version BIGINT
ALTER TABLE datahub_quarantine ADD COLUMN operation UUID
ALTER TABLE datahub_quarantine ADD COLUMN orphan_of UUID
CREATE INDEX IF NOT EXISTS datahub_records_mapping ON datahub_records (model, mapping_id)
CREATE UNIQUE INDEX IF NOT EXISTS datahub_intents_open ON datahub_intents (entity, id) WHERE verdict IS NULL
CREATE INDEX IF NOT EXISTS datahub_intents_record ON datahub_intents (entity, id)
CREATE INDEX IF NOT EXISTS datahub_intents_unfinished ON datahub_intents (entity, id) WHERE finished IS NULL
CREATE INDEX IF NOT EXISTS datahub_intents_age ON datahub_intents (closed_at)
CREATE INDEX IF NOT EXISTS datahub_history_record ON datahub_history (entity, id, sequence)
CREATE INDEX IF NOT EXISTS datahub_history_operation ON datahub_history (operation) WHERE operation IS NOT NULL

CREATE SEQUENCE IF NOT EXISTS datahub_versions;
CREATE OR REPLACE FUNCTION datahub_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only: its rows are never changed or deleted', TG_TABLE_NAME; END $$;
CREATE OR REPLACE FUNCTION datahub_erased_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF OLD.erased IS NULL
    AND EXISTS (SELECT 1 FROM datahub_erasures AS erasure
                WHERE erasure.sequence = NEW.erased AND erasure.entity = OLD.entity AND erasure.id = OLD.id)
    AND (NEW.sequence, NEW.entity, NEW.id, NEW.model, NEW.version, NEW.at, NEW.actor,
      NEW.program, NEW.origin, NEW.kind, NEW.operation, NEW.mapping_id, NEW.modified,
      NEW.modified_by, NEW.skew_ms)
        IS NOT DISTINCT FROM
        (OLD.sequence, OLD.entity, OLD.id, OLD.model, OLD.version, OLD.at, OLD.actor,
      OLD.program, OLD.origin, OLD.kind, OLD.operation, OLD.mapping_id, OLD.modified,
      OLD.modified_by, OLD.skew_ms)
    AND NEW.constants = '{}'
    AND NOT EXISTS (SELECT FROM jsonb_array_elements(NEW.changes::jsonb) AS change
                    WHERE change -> 'from' <> '[]' OR change -> 'to' <> '[]' OR change ? 'note')
    AND NOT EXISTS (SELECT FROM jsonb_array_elements(NEW.local::jsonb) AS change
                    WHERE change -> 'from' <> 'null' OR change ? 'to')
  THEN RETURN NEW; END IF;
  RAISE EXCEPTION '% is append-only: its rows are never changed, but by erase()', TG_TABLE_NAME;
END $$;
DROP TRIGGER IF EXISTS datahub_history_rows ON datahub_history;
CREATE TRIGGER datahub_history_rows BEFORE DELETE ON datahub_history
FOR EACH ROW EXECUTE FUNCTION datahub_append_only();
DROP TRIGGER IF EXISTS datahub_history_changes ON datahub_history;
CREATE TRIGGER datahub_history_changes BEFORE UPDATE ON datahub_history
FOR EACH ROW EXECUTE FUNCTION datahub_erased_only();
DROP TRIGGER IF EXISTS datahub_history_whole ON datahub_history;
CREATE TRIGGER datahub_history_whole BEFORE TRUNCATE ON datahub_history
FOR EACH STATEMENT EXECUTE FUNCTION datahub_append_only();
DROP TRIGGER IF EXISTS datahub_erasures_rows ON datahub_erasures;
CREATE TRIGGER datahub_erasures_rows BEFORE UPDATE OR DELETE ON datahub_erasures
FOR EACH ROW EXECUTE FUNCTION datahub_append_only();
DROP TRIGGER IF EXISTS datahub_erasures_whole ON datahub_erasures;
CREATE TRIGGER datahub_erasures_whole BEFORE TRUNCATE ON datahub_erasures
FOR EACH STATEMENT EXECUTE FUNCTION datahub_append_only();

