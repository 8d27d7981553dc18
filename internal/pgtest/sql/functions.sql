-- Creates a view of every function of the extension :extension that is not
-- volatile and can be called with the values of the tables and with some of
-- PostgreSQL's own types.
DO $pgext$
DECLARE
	home CONSTANT text := :home;
	f record;
	relation text;
	content text;
BEGIN
	FOR f IN
		WITH given(type, value) AS (
			SELECT t.atttypid, format('(SELECT c FROM %I.%I WHERE c IS NOT NULL LIMIT 1)', home, min(r.relname))
			FROM pg_attribute t JOIN pg_class r ON r.oid = t.attrelid
			WHERE t.attname = 'c' AND r.relkind = 'r' AND r.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = home)
				AND obj_description(r.oid, 'pg_class') = 'filled'
			GROUP BY t.atttypid),
		own(type, value) AS (
			SELECT type::regtype::oid, format('%L::%s', value, type) FROM (VALUES
				('boolean', 'true'), ('smallint', '1'), ('integer', '1'), ('bigint', '1'), ('real', '1'), ('double precision', '1'),
				('numeric', '1'), ('text', 'a'), ('character varying', 'a'), ('name', 'a'), ('bytea', '\x01'), ('date', '2001-02-03'),
				('timestamp without time zone', '2001-02-03 04:05:06'), ('timestamp with time zone', '2001-02-03 04:05:06+00'),
				('interval', '1 day'), ('json', '{}'), ('jsonb', '{}'), ('inet', '192.0.2.1'),
				('uuid', '00000000-0000-0000-0000-000000000001'), ('integer[]', '{1,2}'), ('double precision[]', '{1,2}'), ('text[]', '{a,b}')
			) v(type, value)),
		value AS (SELECT * FROM given UNION ALL SELECT * FROM own WHERE type NOT IN (SELECT type FROM given))
		SELECT row_number() OVER (ORDER BY p.proname, p.oid) AS n, p.proname, s.nspname, p.provolatile,
			array_to_string(ARRAY(
				SELECT v.value FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY a(type, n) JOIN value v USING (type)
				WHERE a.n <= p.pronargs - p.pronargdefaults ORDER BY a.n), ', ') AS arguments
		FROM pg_proc p
		JOIN pg_namespace s ON s.oid = p.pronamespace
		JOIN pg_type y ON y.oid = p.prorettype AND (y.typtype <> 'p' OR y.typname = 'record')
		JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
		JOIN pg_extension e ON e.oid = d.refobjid
		WHERE e.extname = :extension AND p.prokind = 'f' AND p.provolatile IN ('i', 's') AND p.provariadic = 0 AND p.pronargs > 0
			AND NOT EXISTS (
				SELECT FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY a(type, n)
				WHERE a.n <= p.pronargs - p.pronargdefaults AND a.type NOT IN (SELECT type FROM value))
		ORDER BY p.proname, p.oid LIMIT 400
	LOOP
		BEGIN
			relation := left('view of ' || f.proname, 55) || ' ' || f.n;
			EXECUTE format('CREATE VIEW %I.%I AS SELECT %I.%I(%s) AS result', home, relation, f.nspname, f.proname, f.arguments);
			EXECUTE format('SELECT string_agg(v::text, '','') FROM %I.%I v', home, relation) INTO content;
			IF f.provolatile = 's' THEN
				EXECUTE format('COMMENT ON VIEW %I.%I IS ''stable''', home, relation);
			END IF;
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
		COMMIT; -- a crash later does not undo it
	END LOOP;
END
$pgext$;
