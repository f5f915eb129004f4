"""What `make bench` measures: syncs, also while keys change, launched runs, landing, reading sales."""
