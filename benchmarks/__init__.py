"""What `make bench` measures: syncs, also while keys change, runs, landing, reading; kills and faults."""
