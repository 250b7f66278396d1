"""Kinds of records and their row rules: a module per kind, which ends in its ``Kind``; ``registry`` has them all."""
