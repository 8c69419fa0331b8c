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
