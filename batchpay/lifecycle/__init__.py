"""The life of one charge, pure: what a row is, what may become of it, what an answer proves."""
