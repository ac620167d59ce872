"""HTTP plumbing that pages and API share."""
