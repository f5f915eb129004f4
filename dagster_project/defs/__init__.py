"""One idea per file: ingestion, checks, schedules, sensors, resources."""
