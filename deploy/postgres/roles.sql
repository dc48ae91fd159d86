-- Roles of the whole cluster, with :inspector_password; may be run again at any time.

SET client_min_messages = warning;

-- What all services have in common: migrations grant to it.
SELECT 'CREATE ROLE checkout_service NOLOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'checkout_service') \gexec

-- The operators' role: reads everything but secrets, writes nothing.
SELECT format('CREATE ROLE inspector LOGIN PASSWORD %L', :'inspector_password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'inspector') \gexec
ALTER ROLE inspector SET default_transaction_read_only = on;

-- Nobody needs the databases that come with a cluster.
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
