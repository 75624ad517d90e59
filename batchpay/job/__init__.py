"""job.toml and the environment become one frozen Job."""
