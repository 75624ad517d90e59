"""RECONCILE: rows and history become findings and totals that must close; two ledgers are matched.
Pure.
"""
