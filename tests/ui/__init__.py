"""What people open, in the programs that they open it with: `make test-ui`, or BATCHPAY_UI=1.

Needs Chromium, LibreOffice and npm. What is not on the machine is skipped, and said.
"""
