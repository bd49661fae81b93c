"""Pipelines: flows, the warehouse, the reports and the command line; the only package that imports the other two."""
