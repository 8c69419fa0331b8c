-- This database has nothing to do here.
SELECT 1;
