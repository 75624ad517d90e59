"""The durable, append-only record of intents and answers: the Journal protocol's
implementations.
"""
