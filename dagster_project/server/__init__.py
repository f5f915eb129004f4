"""The code server that `pos up` starts: Dagster's own, whose runs start warm."""
