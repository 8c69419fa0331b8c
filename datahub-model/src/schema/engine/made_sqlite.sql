CREATE TABLE IF NOT EXISTS datahub_records (model TEXT NOT NULL, id BLOB NOT NULL, modified BIGINT NOT NULL, created BIGINT, modified_by BLOB, seen TEXT NOT NULL, mapping_id BIGINT NOT NULL, version BIGINT NOT NULL, state TEXT NOT NULL, reason TEXT, complete_for TEXT, outdated TEXT, outdated_at BIGINT, PRIMARY KEY (model, id), CHECK (state IN ('row', 'tombstone')))
CREATE TABLE IF NOT EXISTS datahub_intents (operation BLOB NOT NULL, entity TEXT NOT NULL, id BLOB NOT NULL, model TEXT NOT NULL, write TEXT NOT NULL, body TEXT NOT NULL, local TEXT, actor TEXT NOT NULL, program TEXT NOT NULL, lease_holder BLOB NOT NULL, lease_until BIGINT NOT NULL, opened_at BIGINT NOT NULL, closed_at BIGINT, verdict TEXT, mapping_id BIGINT NOT NULL, finished BIGINT, quiet_until BIGINT, PRIMARY KEY (operation))
CREATE TABLE IF NOT EXISTS datahub_history (sequence INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT NOT NULL, id BLOB NOT NULL, model TEXT NOT NULL, version BIGINT NOT NULL, at BIGINT NOT NULL, actor TEXT NOT NULL, program TEXT NOT NULL, origin TEXT NOT NULL, kind TEXT NOT NULL, operation BLOB, changes TEXT NOT NULL, constants TEXT NOT NULL, local TEXT NOT NULL, mapping_id BIGINT NOT NULL, modified BIGINT, modified_by BLOB, skew_ms BIGINT, erased BIGINT)
CREATE TABLE IF NOT EXISTS datahub_erasures (sequence INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT NOT NULL, id BLOB NOT NULL, at BIGINT NOT NULL, actor TEXT NOT NULL, program TEXT NOT NULL, reason TEXT NOT NULL)
CREATE TABLE IF NOT EXISTS datahub_watermarks (model TEXT NOT NULL, mapping_id BIGINT NOT NULL, run BLOB NOT NULL, next TEXT, pages BIGINT NOT NULL, records BIGINT NOT NULL, stored_at BIGINT NOT NULL, PRIMARY KEY (model))
CREATE TABLE IF NOT EXISTS datahub_pulls (model TEXT NOT NULL, scope TEXT NOT NULL, run BLOB NOT NULL, attributes TEXT NOT NULL, next TEXT, pages BIGINT NOT NULL, records BIGINT NOT NULL, stored_at BIGINT NOT NULL, watermark BIGINT, since BIGINT, begun BIGINT, newest BIGINT, asked_at BIGINT, checked_at BIGINT, version BIGINT, PRIMARY KEY (model, scope))
CREATE TABLE IF NOT EXISTS datahub_swept (model TEXT NOT NULL, id BLOB NOT NULL, PRIMARY KEY (model, id))
CREATE TABLE IF NOT EXISTS datahub_quarantine (entity TEXT NOT NULL, id BLOB NOT NULL, model TEXT NOT NULL, reason TEXT NOT NULL, at BIGINT NOT NULL, operation BLOB, orphan_of BLOB, PRIMARY KEY (model, id))
CREATE TABLE IF NOT EXISTS datahub_settings (name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name))
ALTER TABLE datahub_records ADD COLUMN created BIGINT
ALTER TABLE datahub_records ADD COLUMN modified_by BLOB
ALTER TABLE datahub_records ADD COLUMN reason TEXT
ALTER TABLE datahub_records ADD COLUMN complete_for TEXT
ALTER TABLE datahub_records ADD COLUMN outdated TEXT
ALTER TABLE datahub_records ADD COLUMN outdated_at BIGINT
ALTER TABLE datahub_intents ADD COLUMN local TEXT
ALTER TABLE datahub_intents ADD COLUMN closed_at BIGINT
ALTER TABLE datahub_intents ADD COLUMN verdict TEXT
ALTER TABLE datahub_intents ADD COLUMN finished BIGINT
ALTER TABLE datahub_intents ADD COLUMN quiet_until BIGINT
ALTER TABLE datahub_history ADD COLUMN operation BLOB
ALTER TABLE datahub_history ADD COLUMN modified BIGINT
ALTER TABLE datahub_history ADD COLUMN modified_by BLOB
ALTER TABLE datahub_history ADD COLUMN skew_ms BIGINT
ALTER TABLE datahub_history ADD COLUMN erased BIGINT
ALTER TABLE datahub_watermarks ADD COLUMN next TEXT
ALTER TABLE datahub_pulls ADD COLUMN next TEXT
ALTER TABLE datahub_pulls ADD COLUMN watermark BIGINT
ALTER TABLE datahub_pulls ADD COLUMN since BIGINT
ALTER TABLE datahub_pulls ADD COLUMN begun BIGINT
ALTER TABLE datahub_pulls ADD COLUMN newest BIGINT
ALTER TABLE datahub_pulls ADD COLUMN asked_at BIGINT
ALTER TABLE datahub_pulls ADD COLUMN checked_at BIGINT
ALTER TABLE datahub_pulls ADD COLUMN version BIGINT
ALTER TABLE datahub_quarantine ADD COLUMN operation BLOB
ALTER TABLE datahub_quarantine ADD COLUMN orphan_of BLOB
CREATE INDEX IF NOT EXISTS datahub_records_mapping ON datahub_records (model, mapping_id)
CREATE UNIQUE INDEX IF NOT EXISTS datahub_intents_open ON datahub_intents (entity, id) WHERE verdict IS NULL
CREATE INDEX IF NOT EXISTS datahub_intents_record ON datahub_intents (entity, id)
CREATE INDEX IF NOT EXISTS datahub_intents_unfinished ON datahub_intents (entity, id) WHERE finished IS NULL
CREATE INDEX IF NOT EXISTS datahub_intents_age ON datahub_intents (closed_at)
CREATE INDEX IF NOT EXISTS datahub_history_record ON datahub_history (entity, id, sequence)
CREATE INDEX IF NOT EXISTS datahub_history_operation ON datahub_history (operation) WHERE operation IS NOT NULL

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

