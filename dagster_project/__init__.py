"""The Dagster project: assets, checks, schedules and sensors of the POS integration."""
