-- Another database, :server on :host and :port, as the audit sees it: through the eyes of inspector,
-- with :inspector_password.

SELECT format('CREATE SERVER %I FOREIGN DATA WRAPPER postgres_fdw', :'server')
WHERE NOT EXISTS (SELECT FROM pg_foreign_server WHERE srvname = :'server') \gexec
SELECT format('ALTER SERVER %I OPTIONS (%s %s %L)', :'server',
              CASE WHEN coalesce(s.srvoptions, '{}')::text LIKE '%' || o.name || '=%'
                   THEN 'SET' ELSE 'ADD' END, o.name, o.value)
FROM pg_foreign_server s,
     (VALUES ('host', :'host'), ('port', :'port'), ('dbname', :'server'),
             ('fetch_size', '10000')) AS o (name, value)
WHERE s.srvname = :'server' \gexec
GRANT USAGE ON FOREIGN SERVER :"server" TO audit_owner;
DROP USER MAPPING IF EXISTS FOR inspector SERVER :"server";
CREATE USER MAPPING FOR inspector SERVER :"server" OPTIONS (user 'inspector', password :'inspector_password');
