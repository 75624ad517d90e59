"""Where charges go: the Gateway protocol and its one implementation so far."""
