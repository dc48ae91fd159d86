-- migrate:up

-- The audit looks at all databases at once, through postgres_fdw and the eyes of inspector. The
-- launcher makes the servers (orders, vouchers): where they are differs per stack.
CREATE SCHEMA orders;
CREATE SCHEMA vouchers;

-- migrate:down
-- Forward only.
