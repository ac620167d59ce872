"""The Lösungskatalog application; this file stays a docstring, so that importing a part never imports the whole."""
