SET lock_timeout = '3s';
SET statement_timeout = '1h';
INSERT INTO datahub_settings (name, value) VALUES ('epoch:deals', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
INSERT INTO datahub_settings (name, value) VALUES ('epoch:opportunities', '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(datahub_settings.value AS INTEGER) < CAST(excluded.value AS INTEGER);
INSERT INTO datahub_settings (name, value) VALUES ('carried:deals', 'opportunities') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
-- in batches by id
UPDATE datahub_records SET model = 'opportunities' WHERE model = 'deals';
-- in batches by operation
UPDATE datahub_intents SET model = 'opportunities' WHERE model = 'deals';
-- in batches by model
UPDATE datahub_watermarks SET model = 'opportunities' WHERE model = 'deals';
-- in batches by scope
UPDATE datahub_pulls SET model = 'opportunities' WHERE model = 'deals';
-- in batches by id
UPDATE datahub_swept SET model = 'opportunities' WHERE model = 'deals';
-- in batches by id
UPDATE datahub_quarantine SET model = 'opportunities' WHERE model = 'deals';
-- in batches by sequence
UPDATE datahub_history SET model = 'opportunities' WHERE model = 'deals';
RESET lock_timeout;
RESET statement_timeout;
