"""Parquet."""
from batchpay.errors import FileRefused
def read_parquet(snapshot, settings, wanted):
    raise FileRefused("not yet")
