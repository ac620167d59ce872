"""Import and export of the catalog as JSON Lines; `importing` and `exporting` are the ways in."""
