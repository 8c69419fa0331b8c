ALTER TABLE "firms" ADD COLUMN "fax" TEXT;
UPDATE "firms" SET "fax" = '' WHERE "fax" IS NULL;
CREATE TRIGGER "datahub_fill_firms_fax_1a682259" AFTER INSERT ON "firms" WHEN NEW."fax" IS NULL
BEGIN UPDATE "firms" SET "fax" = '' WHERE "id" = NEW."id"; END;
INSERT INTO datahub_settings (name, value) VALUES ('column:firms.fax', 'string') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
