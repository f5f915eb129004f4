"""All SQL on the operational tables; every function says whose rows it means."""
