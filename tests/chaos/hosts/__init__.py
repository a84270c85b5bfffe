"""A mesh on three hosts, and what can become of one."""
