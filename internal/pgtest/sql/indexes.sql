-- Creates an index with every operator class that belongs to the extension
-- :extension, or whose access method does, on each table of its type, and a view
-- that searches with the index or orders by it.
DO $pgext$
DECLARE
	home CONSTANT text := :home;
	o record;
	shape text;
	relation text;
	sought text;
BEGIN
	FOR o IN
		WITH members AS (
			SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
			WHERE e.extname = :extension AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')
		SELECT row_number() OVER (ORDER BY a.amname, c.opcname, c.oid, r.relname) AS n,
			a.amname, c.opcname, n.nspname, r.relname, p.amoppurpose,
			CASE WHEN po.oid IS NOT NULL THEN format('OPERATOR(%I.%s)', pn.nspname, po.oprname) END AS operator
		FROM pg_opclass c
		JOIN pg_am a ON a.oid = c.opcmethod
		JOIN pg_namespace n ON n.oid = c.opcnamespace
		JOIN pg_attribute t ON t.atttypid = c.opcintype AND t.attname = 'c'
		JOIN pg_class r ON r.oid = t.attrelid AND r.relkind = 'r' AND r.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = home)
		LEFT JOIN LATERAL (
			SELECT amoppurpose, amopopr FROM pg_amop
			WHERE amopfamily = c.opcfamily AND amoplefttype = c.opcintype AND amoprighttype = c.opcintype
			ORDER BY amoppurpose DESC, amopstrategy LIMIT 1) p ON true
		LEFT JOIN pg_operator po ON po.oid = p.amopopr
		LEFT JOIN pg_namespace pn ON pn.oid = po.oprnamespace
		WHERE (c.oid IN (SELECT objid FROM members WHERE classid = 'pg_opclass'::regclass)
			OR a.oid IN (SELECT objid FROM members WHERE classid = 'pg_am'::regclass))
	LOOP
		BEGIN
			EXECUTE format('CREATE INDEX ON %I.%I USING %I (c %I.%I)', home, o.relname, o.amname, o.nspname, o.opcname);
			relation := format('%I.%I', home, o.relname);
			sought := format('(SELECT c FROM %s WHERE c IS NOT NULL LIMIT 1)', relation);
			shape := CASE o.amoppurpose
				WHEN 's' THEN format('SELECT count(*) FROM %s WHERE c %s %s', relation, o.operator, sought)
				WHEN 'o' THEN format('SELECT c FROM %s ORDER BY c %s %s LIMIT 1', relation, o.operator, sought)
			END;
			IF shape IS NOT NULL THEN
				BEGIN
					relation := format('%I.%I', home, left('search with ' || o.opcname, 55) || ' ' || o.n);
					EXECUTE format('CREATE VIEW %s AS %s', relation, shape);
					EXECUTE format('SELECT string_agg(v::text, '','') FROM %s v', relation);
				EXCEPTION WHEN OTHERS THEN NULL;
				END;
			END IF;
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
		COMMIT; -- a crash later does not undo it
	END LOOP;
END
$pgext$;
