SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '1min';
-- a constraint has proved it, so no row is read
-- squawk-ignore adding-not-nullable-field
ALTER TABLE "firms" ALTER COLUMN "fax" SET NOT NULL;
-- NOT NULL takes its place
-- squawk-ignore ban-drop-constraint
ALTER TABLE "firms" DROP CONSTRAINT "firms_fax_present";
-- every program that is left sets it
-- squawk-ignore ban-drop-default
ALTER TABLE "firms" ALTER COLUMN "fax" DROP DEFAULT;
