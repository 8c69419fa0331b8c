ALTER TABLE "cases" ADD COLUMN "urgency_level" INTEGER;
INSERT INTO datahub_settings (name, value) VALUES ('column:cases.urgency_level', 'choice') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
ALTER TABLE "competitors" ADD COLUMN "address_street" TEXT;
CREATE TRIGGER "datahub_equal_competitors_address_street_insert_c1707929" AFTER INSERT ON "competitors" WHEN NEW."street" IS NOT NEW."address_street"
BEGIN UPDATE "competitors" SET "street" = coalesce(NEW."street", NEW."address_street"), "address_street" = coalesce(NEW."street", NEW."address_street") WHERE "id" = NEW."id"; END;
CREATE TRIGGER "datahub_equal_competitors_address_street_former_c1707929" AFTER UPDATE OF "street" ON "competitors" WHEN NEW."street" IS NOT OLD."street" AND NEW."address_street" IS NOT NEW."street"
BEGIN UPDATE "competitors" SET "address_street" = NEW."street" WHERE "id" = NEW."id"; END;
CREATE TRIGGER "datahub_equal_competitors_address_street_new_c1707929" AFTER UPDATE OF "address_street" ON "competitors"
WHEN NEW."address_street" IS NOT OLD."address_street" AND NEW."street" IS OLD."street" AND NEW."street" IS NOT NEW."address_street"
BEGIN UPDATE "competitors" SET "street" = NEW."address_street" WHERE "id" = NEW."id"; END;
INSERT INTO datahub_settings (name, value) VALUES ('column:competitors.address_street', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
UPDATE "competitors" SET "address_street" = "street" WHERE "address_street" IS DISTINCT FROM "street";
ALTER TABLE "competitors" ADD COLUMN "address_town" TEXT;
CREATE TRIGGER "datahub_equal_competitors_address_town_insert_d2b5f6b8" AFTER INSERT ON "competitors" WHEN NEW."town" IS NOT NEW."address_town"
BEGIN UPDATE "competitors" SET "town" = coalesce(NEW."town", NEW."address_town"), "address_town" = coalesce(NEW."town", NEW."address_town") WHERE "id" = NEW."id"; END;
CREATE TRIGGER "datahub_equal_competitors_address_town_former_d2b5f6b8" AFTER UPDATE OF "town" ON "competitors" WHEN NEW."town" IS NOT OLD."town" AND NEW."address_town" IS NOT NEW."town"
BEGIN UPDATE "competitors" SET "address_town" = NEW."town" WHERE "id" = NEW."id"; END;
CREATE TRIGGER "datahub_equal_competitors_address_town_new_d2b5f6b8" AFTER UPDATE OF "address_town" ON "competitors"
WHEN NEW."address_town" IS NOT OLD."address_town" AND NEW."town" IS OLD."town" AND NEW."town" IS NOT NEW."address_town"
BEGIN UPDATE "competitors" SET "town" = NEW."address_town" WHERE "id" = NEW."id"; END;
INSERT INTO datahub_settings (name, value) VALUES ('column:competitors.address_town', 'string or null') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
UPDATE "competitors" SET "address_town" = "town" WHERE "address_town" IS DISTINCT FROM "town";
ALTER TABLE "contacts" ADD COLUMN "name" TEXT;
INSERT INTO datahub_settings (name, value) VALUES ('column:contacts.name', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
ALTER TABLE "contacts" ALTER COLUMN "last_name" DROP NOT NULL;
CREATE TABLE "customers" (
    "id" BLOB NOT NULL PRIMARY KEY,
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
ALTER TABLE "leads" ADD COLUMN "subject" TEXT;
ALTER TABLE "leads" ALTER COLUMN "topic" DROP NOT NULL;
CREATE TRIGGER "datahub_equal_leads_subject_insert_d23820ec" AFTER INSERT ON "leads" WHEN NEW."topic" IS NOT NEW."subject"
BEGIN UPDATE "leads" SET "topic" = coalesce(NEW."topic", NEW."subject"), "subject" = coalesce(NEW."topic", NEW."subject") WHERE "id" = NEW."id"; END;
CREATE TRIGGER "datahub_equal_leads_subject_former_d23820ec" AFTER UPDATE OF "topic" ON "leads" WHEN NEW."topic" IS NOT OLD."topic" AND NEW."subject" IS NOT NEW."topic"
BEGIN UPDATE "leads" SET "subject" = NEW."topic" WHERE "id" = NEW."id"; END;
CREATE TRIGGER "datahub_equal_leads_subject_new_d23820ec" AFTER UPDATE OF "subject" ON "leads"
WHEN NEW."subject" IS NOT OLD."subject" AND NEW."topic" IS OLD."topic" AND NEW."topic" IS NOT NEW."subject"
BEGIN UPDATE "leads" SET "topic" = NEW."subject" WHERE "id" = NEW."id"; END;
INSERT INTO datahub_settings (name, value) VALUES ('column:leads.subject', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
UPDATE "leads" SET "subject" = "topic" WHERE "subject" IS DISTINCT FROM "topic";
CREATE TABLE "meetings" (
    "id" BLOB NOT NULL PRIMARY KEY,
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
    "id" BLOB NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "email" TEXT,
    "team" BLOB,
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
ALTER TABLE "sites" ALTER COLUMN "hours" DROP NOT NULL;
CREATE TABLE "suppliers" (
    "id" BLOB NOT NULL PRIMARY KEY,
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
