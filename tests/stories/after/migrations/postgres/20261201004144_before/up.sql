SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '1min';
CREATE TABLE IF NOT EXISTS datahub_records (
    model TEXT NOT NULL,
    id UUID NOT NULL,
    modified TIMESTAMP WITH TIME ZONE NOT NULL,
    created TIMESTAMP WITH TIME ZONE,
    modified_by UUID,
    seen TEXT NOT NULL,
    mapping_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    complete_for TEXT,
    outdated TEXT,
    outdated_at BIGINT,
    PRIMARY KEY (model, id),
    CHECK (state IN ('row', 'tombstone'))
);
CREATE TABLE IF NOT EXISTS datahub_intents (
    operation UUID NOT NULL,
    entity TEXT NOT NULL,
    id UUID NOT NULL,
    model TEXT NOT NULL,
    write TEXT NOT NULL,
    body TEXT NOT NULL,
    local TEXT,
    actor TEXT NOT NULL,
    program TEXT NOT NULL,
    lease_holder UUID NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    verdict TEXT,
    mapping_id BIGINT NOT NULL,
    finished BIGINT,
    quiet_until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (operation)
);
CREATE TABLE IF NOT EXISTS datahub_history (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity TEXT NOT NULL,
    id UUID NOT NULL,
    model TEXT NOT NULL,
    version BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    program TEXT NOT NULL,
    origin TEXT NOT NULL,
    kind TEXT NOT NULL,
    operation UUID,
    changes TEXT NOT NULL,
    constants TEXT NOT NULL,
    local TEXT NOT NULL,
    mapping_id BIGINT NOT NULL,
    modified TIMESTAMP WITH TIME ZONE,
    modified_by UUID,
    skew_ms BIGINT,
    erased BIGINT
);
CREATE TABLE IF NOT EXISTS datahub_erasures (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity TEXT NOT NULL,
    id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    program TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS datahub_watermarks (
    model TEXT NOT NULL,
    mapping_id BIGINT NOT NULL,
    run UUID NOT NULL,
    next TEXT,
    pages BIGINT NOT NULL,
    records BIGINT NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (model)
);
CREATE TABLE IF NOT EXISTS datahub_pulls (
    model TEXT NOT NULL,
    scope TEXT NOT NULL,
    run UUID NOT NULL,
    attributes TEXT NOT NULL,
    next TEXT,
    pages BIGINT NOT NULL,
    records BIGINT NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
    watermark TIMESTAMP WITH TIME ZONE,
    since TIMESTAMP WITH TIME ZONE,
    begun TIMESTAMP WITH TIME ZONE,
    newest TIMESTAMP WITH TIME ZONE,
    asked_at TIMESTAMP WITH TIME ZONE,
    checked_at TIMESTAMP WITH TIME ZONE,
    version BIGINT,
    PRIMARY KEY (model, scope)
);
CREATE TABLE IF NOT EXISTS datahub_swept (
    model TEXT NOT NULL,
    id UUID NOT NULL,
    PRIMARY KEY (model, id)
);
CREATE TABLE IF NOT EXISTS datahub_quarantine (
    entity TEXT NOT NULL,
    id UUID NOT NULL,
    model TEXT NOT NULL,
    reason TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    operation UUID,
    orphan_of UUID,
    PRIMARY KEY (model, id)
);
CREATE TABLE IF NOT EXISTS datahub_settings (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX IF NOT EXISTS datahub_records_mapping ON datahub_records (model, mapping_id);
CREATE UNIQUE INDEX IF NOT EXISTS datahub_intents_open ON datahub_intents (entity, id) WHERE verdict IS NULL;
CREATE INDEX IF NOT EXISTS datahub_intents_record ON datahub_intents (entity, id);
CREATE INDEX IF NOT EXISTS datahub_intents_unfinished ON datahub_intents (entity, id) WHERE finished IS NULL;
CREATE INDEX IF NOT EXISTS datahub_intents_age ON datahub_intents (closed_at);
CREATE INDEX IF NOT EXISTS datahub_history_record ON datahub_history (entity, id, sequence);
CREATE INDEX IF NOT EXISTS datahub_history_operation ON datahub_history (operation) WHERE operation IS NOT NULL;
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
INSERT INTO datahub_settings (name, value) VALUES ('schema_version', '2') ON CONFLICT (name) DO NOTHING;
INSERT INTO datahub_settings (name, value) VALUES ('schema_revision', '8') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
CREATE TABLE IF NOT EXISTS "calls" (
    "id" UUID NOT NULL PRIMARY KEY,
    "subject" TEXT NOT NULL,
    "kind" INTEGER NOT NULL,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:calls.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:calls.subject', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:calls.kind', 'choice') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:calls.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "campaigns" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "reached" BIGINT NOT NULL
);
INSERT INTO datahub_settings (name, value) VALUES ('column:campaigns.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:campaigns.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:campaigns.reached', 'bigint') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "cases" (
    "id" UUID NOT NULL PRIMARY KEY,
    "title" TEXT NOT NULL,
    "urgency" TEXT,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:cases.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:cases.title', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:cases.urgency', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:cases.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "competitors" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "street" TEXT,
    "town" TEXT,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:competitors.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:competitors.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:competitors.street', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:competitors.town', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:competitors.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "contacts" (
    "id" UUID NOT NULL PRIMARY KEY,
    "first_name" TEXT,
    "last_name" TEXT NOT NULL,
    "email" TEXT,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:contacts.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:contacts.first_name', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:contacts.last_name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:contacts.email', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:contacts.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "deals" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "value" BIGINT,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:deals.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:deals.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:deals.value', 'money or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:deals.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "equipment" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:equipment.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:equipment.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:equipment.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "invoices" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "discount" BIGINT,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:invoices.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:invoices.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:invoices.discount', 'decimal(2) or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:invoices.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "leads" (
    "id" UUID NOT NULL PRIMARY KEY,
    "topic" TEXT NOT NULL,
    "company" TEXT,
    "score" INTEGER NOT NULL
);
INSERT INTO datahub_settings (name, value) VALUES ('column:leads.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:leads.topic', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:leads.company', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:leads.score', 'integer') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "leaflets" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "printed" INTEGER NOT NULL
);
INSERT INTO datahub_settings (name, value) VALUES ('column:leaflets.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:leaflets.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:leaflets.description', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:leaflets.printed', 'integer') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "organisations" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "website" TEXT,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:organisations.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:organisations.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:organisations.website', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:organisations.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "partners" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "kind" INTEGER NOT NULL,
    "town" TEXT,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:partners.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:partners.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:partners.kind', 'choice') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:partners.town', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:partners.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "products" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:products.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:products.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:products.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "sites" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "town" TEXT,
    "hours" TEXT NOT NULL
);
INSERT INTO datahub_settings (name, value) VALUES ('column:sites.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:sites.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:sites.town', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:sites.hours', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "teams" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:teams.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:teams.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:teams.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "territories" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "nickname" TEXT,
    "rank" INTEGER NOT NULL
);
INSERT INTO datahub_settings (name, value) VALUES ('column:territories.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:territories.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:territories.description', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:territories.nickname', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:territories.rank', 'integer') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE IF NOT EXISTS "visits" (
    "id" UUID NOT NULL PRIMARY KEY,
    "subject" TEXT NOT NULL,
    "kind" INTEGER NOT NULL,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:visits.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:visits.subject', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:visits.kind', 'choice') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:visits.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
