"""The judged collection and how it is made and measured; nothing of it is part of the product."""
