"""One process at work on a job's batches."""
