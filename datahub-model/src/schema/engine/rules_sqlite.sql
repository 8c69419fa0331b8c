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
