"""What `make bench` measures: syncs, also while keys change, runs, landing, reading pages of sales."""
