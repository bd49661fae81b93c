"""Models: texts in, predictions out; no database, and no network once loaded."""
