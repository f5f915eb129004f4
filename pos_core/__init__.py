"""What every other package stands on: settings, errors, the vault, the database and its repositories."""
