-- Creates a table for every type of the extension :extension, of its operator
-- classes, and of another extension's types that its functions take, with up to
-- two values and a null. It ignores row types and array types. After a crash it
-- can run again and continues with the next type.
DO $pgext$
DECLARE
	home CONSTANT text := :home;
	specimens CONSTANT text[] := :specimens;
	t record;
	relation text;
	size text;
	specimen text;
	kept int;
BEGIN
	EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', home);
	COMMIT;
	FOR t IN
		WITH members AS (
			SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
			WHERE e.extname = :extension AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')
		SELECT y.typname, format_type(y.oid, NULL) AS type,
			CASE WHEN y.typmodin = 0 THEN ARRAY[''] ELSE ARRAY['', '(3)'] END AS sizes,
			ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = y.oid ORDER BY enumsortorder LIMIT 2)
			|| CASE WHEN y.typrelid <> 0 THEN ARRAY(SELECT '(' || repeat(',', relnatts - 1) || ')' FROM pg_class WHERE oid = y.typrelid) END
			|| specimens AS specimens
		FROM pg_type y
		WHERE y.typisdefined AND y.typtype <> 'p'
			AND NOT EXISTS (SELECT FROM pg_class r WHERE r.oid = y.typrelid AND r.relkind <> 'c')
			AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = y.oid)
			AND (
			y.oid IN (SELECT objid FROM members WHERE classid = 'pg_type'::regclass)
			OR y.oid IN (SELECT o.opcintype FROM pg_opclass o JOIN members m ON m.classid = 'pg_opclass'::regclass AND m.objid = o.oid)
			OR y.oid IN (SELECT unnest(p.proargtypes) FROM pg_proc p JOIN members m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid)
			AND y.oid IN (SELECT objid FROM pg_depend WHERE classid = 'pg_type'::regclass AND deptype = 'e'))
		ORDER BY y.typname, y.oid
	LOOP
		FOREACH size IN ARRAY t.sizes LOOP
			relation := left('table of ' || t.typname, 58) || size;
			CONTINUE WHEN to_regclass(format('%I.%I', home, relation)) IS NOT NULL;
			BEGIN
				EXECUTE format('CREATE TABLE %I.%I (c %s)', home, relation, t.type || size);
			EXCEPTION WHEN OTHERS THEN CONTINUE;
			END;
			COMMIT;
			BEGIN
				kept := 0;
				FOREACH specimen IN ARRAY t.specimens LOOP
					EXIT WHEN kept = 2;
					BEGIN
						EXECUTE format('INSERT INTO %I.%I VALUES (%L)', home, relation, specimen);
						EXECUTE format('SELECT count(c::text) FROM %I.%I', home, relation);
						kept := kept + 1;
					EXCEPTION WHEN OTHERS THEN NULL;
					END;
				END LOOP;
				IF kept > 0 THEN
					EXECUTE format('COMMENT ON TABLE %I.%I IS ''filled''', home, relation);
					EXECUTE format('INSERT INTO %I.%I VALUES (NULL)', home, relation);
				ELSIF size <> '' THEN
					EXECUTE format('DROP TABLE %I.%I', home, relation);
				END IF;
			EXCEPTION WHEN OTHERS THEN NULL;
			END;
			COMMIT; -- a crash later does not undo it
		END LOOP;
	END LOOP;
END
$pgext$;
