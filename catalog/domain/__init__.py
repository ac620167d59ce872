"""The rules of the catalog in plain Python: no database, no web, no files."""
