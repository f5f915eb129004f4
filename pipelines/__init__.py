"""From the vendors' APIs to the normalised tables: fetch, land, normalise."""
