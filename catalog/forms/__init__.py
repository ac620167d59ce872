"""What people type, parsed and checked for form; the rules stay in the domain."""
