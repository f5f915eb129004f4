"""Factories that turn connectors and dbt models into Dagster definitions."""
