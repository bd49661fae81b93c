"""Report tables, audits, sections and their rendering."""
