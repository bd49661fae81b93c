"""What an evaluation looks at and looks like; apart from the reports, whose identity holds every file that makes them."""
