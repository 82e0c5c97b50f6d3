"""Space groups as sets of operators: reading them, naming them, and moving between their settings."""
