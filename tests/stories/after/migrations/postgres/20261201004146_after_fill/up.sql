SET lock_timeout = '3s';
SET statement_timeout = '1h';
DO $$
DECLARE
    low UUID := '00000000-0000-0000-0000-000000000000';
    high UUID;
BEGIN
    LOOP
        SELECT batch."id" INTO high
        FROM (SELECT "id" FROM "campaigns" WHERE "id" >= low ORDER BY "id" LIMIT 5000) AS batch
        ORDER BY batch."id" DESC LIMIT 1;
        EXIT WHEN high IS NULL;
        UPDATE "campaigns" SET "reached__next" = CAST("reached" AS INTEGER)
        WHERE "id" BETWEEN low AND high AND "reached" IS NOT NULL AND "reached__next" IS NULL AND "reached" BETWEEN -2147483648 AND 2147483647;
        COMMIT;
        EXIT WHEN high = low;
        low := high;
    END LOOP;
END $$;
DO $$
DECLARE
    low UUID := '00000000-0000-0000-0000-000000000000';
    high UUID;
BEGIN
    LOOP
        SELECT batch."id" INTO high
        FROM (SELECT "id" FROM "competitors" WHERE "id" >= low ORDER BY "id" LIMIT 5000) AS batch
        ORDER BY batch."id" DESC LIMIT 1;
        EXIT WHEN high IS NULL;
        UPDATE "competitors" SET "address_street" = "street"
        WHERE "id" BETWEEN low AND high AND "address_street" IS DISTINCT FROM "street";
        COMMIT;
        EXIT WHEN high = low;
        low := high;
    END LOOP;
END $$;
DO $$
DECLARE
    low UUID := '00000000-0000-0000-0000-000000000000';
    high UUID;
BEGIN
    LOOP
        SELECT batch."id" INTO high
        FROM (SELECT "id" FROM "competitors" WHERE "id" >= low ORDER BY "id" LIMIT 5000) AS batch
        ORDER BY batch."id" DESC LIMIT 1;
        EXIT WHEN high IS NULL;
        UPDATE "competitors" SET "address_town" = "town"
        WHERE "id" BETWEEN low AND high AND "address_town" IS DISTINCT FROM "town";
        COMMIT;
        EXIT WHEN high = low;
        low := high;
    END LOOP;
END $$;
DO $$
DECLARE
    low UUID := '00000000-0000-0000-0000-000000000000';
    high UUID;
BEGIN
    LOOP
        SELECT batch."id" INTO high
        FROM (SELECT "id" FROM "invoices" WHERE "id" >= low ORDER BY "id" LIMIT 5000) AS batch
        ORDER BY batch."id" DESC LIMIT 1;
        EXIT WHEN high IS NULL;
        UPDATE "invoices" SET "discount__next" = ("discount" * 100)
        WHERE "id" BETWEEN low AND high AND "discount" IS NOT NULL AND "discount__next" IS NULL AND "discount" BETWEEN -92233720368547758 AND 92233720368547758;
        COMMIT;
        EXIT WHEN high = low;
        low := high;
    END LOOP;
END $$;
DO $$
DECLARE
    low UUID := '00000000-0000-0000-0000-000000000000';
    high UUID;
BEGIN
    LOOP
        SELECT batch."id" INTO high
        FROM (SELECT "id" FROM "leads" WHERE "id" >= low ORDER BY "id" LIMIT 5000) AS batch
        ORDER BY batch."id" DESC LIMIT 1;
        EXIT WHEN high IS NULL;
        UPDATE "leads" SET "subject" = "topic"
        WHERE "id" BETWEEN low AND high AND "subject" IS DISTINCT FROM "topic";
        COMMIT;
        EXIT WHEN high = low;
        low := high;
    END LOOP;
END $$;
RESET lock_timeout;
RESET statement_timeout;
