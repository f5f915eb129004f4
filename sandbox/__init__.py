"""Point-of-sale sandboxes: small HTTP servers that speak the vendors' APIs over a seeded bakery.

Everything here is a function of the seed, the scale and the control commands, so two runs sell the
same bread. A point-of-sale system is one folder that exports a ``SANDBOX`` record.
"""
