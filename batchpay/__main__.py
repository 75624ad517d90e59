"""`python -m batchpay`."""

from batchpay.cli import main

main()
