"""The database: its address, the embedded server, tables, migrations and connections."""
