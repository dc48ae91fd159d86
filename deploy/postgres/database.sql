-- One database: :database, its :owner (migrations run as it), and its :service role ('' for none),
-- which may read and write rows but owns nothing; :owner_password, :service_password. May be run
-- again at any time.

SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', :'owner', :'owner_password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner') \gexec

-- Since Postgres 15 only a database's owner may make things in its schema public.
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"owner", inspector;

SELECT :'service' <> '' AS has_service \gset
\if :has_service
SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', :'service', :'service_password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'service') \gexec
-- A frozen or lost client holds nobody up for long.
ALTER ROLE :"service" SET statement_timeout = '5s';
ALTER ROLE :"service" SET lock_timeout = '1s';
ALTER ROLE :"service" SET idle_in_transaction_session_timeout = '2s';
GRANT CONNECT ON DATABASE :"database" TO :"service";
SELECT format('GRANT checkout_service TO %I', :'service') WHERE :'service' LIKE '%\_service' \gexec
\endif
