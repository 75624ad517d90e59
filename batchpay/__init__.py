"""batchpay: a file of orders in, every order charged once, a report that adds up."""

__version__ = "0.1.0"
