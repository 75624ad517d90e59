"""What a person reads, and what may stand behind a flag."""
