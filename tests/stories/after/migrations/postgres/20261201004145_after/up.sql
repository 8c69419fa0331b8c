SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '1min';
ALTER TABLE "campaigns" ADD COLUMN "reached__next" INTEGER;
CREATE FUNCTION "datahub_follow_campaigns_reached__next_b12ac3d0"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW."reached__next" := CASE WHEN NEW."reached" BETWEEN -2147483648 AND 2147483647 THEN CAST(NEW."reached" AS INTEGER) END;
    RETURN NEW;
END $$;
CREATE TRIGGER "datahub_follow_campaigns_reached__next_b12ac3d0" BEFORE INSERT OR UPDATE ON "campaigns"
FOR EACH ROW EXECUTE FUNCTION "datahub_follow_campaigns_reached__next_b12ac3d0"();
ALTER TABLE "cases" ADD COLUMN "urgency_level" INTEGER;
INSERT INTO datahub_settings (name, value) VALUES ('column:cases.urgency_level', 'choice') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
ALTER TABLE "competitors" ADD COLUMN "address_street" TEXT;
CREATE FUNCTION "datahub_equal_competitors_address_street_c1707929"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW."address_street" := coalesce(NEW."street", NEW."address_street");
        NEW."street" := NEW."address_street";
    ELSIF NEW."street" IS DISTINCT FROM OLD."street" THEN
        NEW."address_street" := NEW."street";
    ELSIF NEW."address_street" IS DISTINCT FROM OLD."address_street" THEN
        NEW."street" := NEW."address_street";
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER "datahub_equal_competitors_address_street_c1707929" BEFORE INSERT OR UPDATE ON "competitors"
FOR EACH ROW EXECUTE FUNCTION "datahub_equal_competitors_address_street_c1707929"();
INSERT INTO datahub_settings (name, value) VALUES ('column:competitors.address_street', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
ALTER TABLE "competitors" ADD COLUMN "address_town" TEXT;
CREATE FUNCTION "datahub_equal_competitors_address_town_d2b5f6b8"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW."address_town" := coalesce(NEW."town", NEW."address_town");
        NEW."town" := NEW."address_town";
    ELSIF NEW."town" IS DISTINCT FROM OLD."town" THEN
        NEW."address_town" := NEW."town";
    ELSIF NEW."address_town" IS DISTINCT FROM OLD."address_town" THEN
        NEW."town" := NEW."address_town";
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER "datahub_equal_competitors_address_town_d2b5f6b8" BEFORE INSERT OR UPDATE ON "competitors"
FOR EACH ROW EXECUTE FUNCTION "datahub_equal_competitors_address_town_d2b5f6b8"();
INSERT INTO datahub_settings (name, value) VALUES ('column:competitors.address_town', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
ALTER TABLE "contacts" ADD COLUMN "name" TEXT;
INSERT INTO datahub_settings (name, value) VALUES ('column:contacts.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
-- older programs read such a row as a data fault, and no worse
-- squawk-ignore ban-drop-not-null
ALTER TABLE "contacts" ALTER COLUMN "last_name" DROP NOT NULL;
CREATE TABLE "customers" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "kind" INTEGER NOT NULL,
    "town" TEXT,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:customers.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:customers.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:customers.kind', 'choice') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:customers.town', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:customers.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
ALTER TABLE "invoices" ADD COLUMN "discount__next" BIGINT;
CREATE FUNCTION "datahub_follow_invoices_discount__next_cd81dbaf"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW."discount__next" := CASE WHEN NEW."discount" BETWEEN -92233720368547758 AND 92233720368547758 THEN (NEW."discount" * 100) END;
    RETURN NEW;
END $$;
CREATE TRIGGER "datahub_follow_invoices_discount__next_cd81dbaf" BEFORE INSERT OR UPDATE ON "invoices"
FOR EACH ROW EXECUTE FUNCTION "datahub_follow_invoices_discount__next_cd81dbaf"();
ALTER TABLE "leads" ADD COLUMN "subject" TEXT;
-- older programs read such a row as a data fault, and no worse
-- squawk-ignore ban-drop-not-null
ALTER TABLE "leads" ALTER COLUMN "topic" DROP NOT NULL;
CREATE FUNCTION "datahub_equal_leads_subject_d23820ec"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW."subject" := coalesce(NEW."topic", NEW."subject");
        NEW."topic" := NEW."subject";
    ELSIF NEW."topic" IS DISTINCT FROM OLD."topic" THEN
        NEW."subject" := NEW."topic";
    ELSIF NEW."subject" IS DISTINCT FROM OLD."subject" THEN
        NEW."topic" := NEW."subject";
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER "datahub_equal_leads_subject_d23820ec" BEFORE INSERT OR UPDATE ON "leads"
FOR EACH ROW EXECUTE FUNCTION "datahub_equal_leads_subject_d23820ec"();
INSERT INTO datahub_settings (name, value) VALUES ('column:leads.subject', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE "meetings" (
    "id" UUID NOT NULL PRIMARY KEY,
    "subject" TEXT NOT NULL,
    "kind" INTEGER NOT NULL,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:meetings.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:meetings.subject', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:meetings.kind', 'choice') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:meetings.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
ALTER TABLE "organisations" ADD COLUMN "fax" TEXT;
INSERT INTO datahub_settings (name, value) VALUES ('column:organisations.fax', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
ALTER TABLE "products" ADD COLUMN "number" TEXT;
INSERT INTO datahub_settings (name, value) VALUES ('column:products.number', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
CREATE TABLE "queues" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "email" TEXT,
    "team" UUID,
    "notes" TEXT
);
CREATE INDEX "queues_team_idx" ON "queues" ("team");
INSERT INTO datahub_settings (name, value) VALUES ('column:queues.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:queues.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:queues.email', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:queues.team', 'lookup or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:queues.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
ALTER TABLE "sites" ADD COLUMN "opens" TEXT;
INSERT INTO datahub_settings (name, value) VALUES ('column:sites.opens', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
ALTER TABLE "sites" ADD COLUMN "closes" TEXT;
INSERT INTO datahub_settings (name, value) VALUES ('column:sites.closes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
-- older programs read such a row as a data fault, and no worse
-- squawk-ignore ban-drop-not-null
ALTER TABLE "sites" ALTER COLUMN "hours" DROP NOT NULL;
CREATE TABLE "suppliers" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "kind" INTEGER NOT NULL,
    "town" TEXT,
    "notes" TEXT
);
INSERT INTO datahub_settings (name, value) VALUES ('column:suppliers.id', 'guid') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:suppliers.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:suppliers.kind', 'choice') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:suppliers.town', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
INSERT INTO datahub_settings (name, value) VALUES ('column:suppliers.notes', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
