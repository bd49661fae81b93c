"""The synthetic Ate month: how it is composed and how it is served on this machine in the platforms' own formats."""
