"""What `make bench` measures: syncs, launched runs, landing, reading sales, webhooks, a flood,
kills and faults."""
