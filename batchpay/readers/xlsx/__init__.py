"""XLSX: one sheet of a workbook."""
