-- The role that captures: it replicates, and owns the database so that it can make its publication.
CREATE ROLE cdc LOGIN REPLICATION PASSWORD 'cdc';
ALTER DATABASE inventory OWNER TO cdc;
GRANT ALL ON SCHEMA public TO cdc;
