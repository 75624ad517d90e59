"""Omise (Opn Payments): the only room that speaks the gateway's HTTP."""
