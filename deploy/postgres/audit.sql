-- Database audit: only a superuser may make the extension; its owner makes the foreign tables.

SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
