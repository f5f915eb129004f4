"""What `make bench` measures here: syncs of many configurations, also while keys change, and landing."""
