INSERT INTO datahub_settings (name, value) VALUES ('epoch:firms', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
ALTER TABLE "firms" ALTER COLUMN "fax" SET NOT NULL;
DROP TRIGGER "datahub_fill_firms_fax_1a682259";
