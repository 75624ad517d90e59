"""Parquet."""
from batchpay.errors import FileRefused
def read_xlsx(snapshot, settings, wanted):
    raise FileRefused("not yet")
