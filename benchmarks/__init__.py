"""What `make bench` measures here: syncs of many configurations, and landing against plain COPY."""
