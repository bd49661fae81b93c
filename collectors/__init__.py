"""Collectors: the internet and files, turned into manifestations; they know nothing of models, DuckDB or reports."""
