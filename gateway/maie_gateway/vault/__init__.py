"""The keys of jobs' encrypted data: what wraps them, where they are stored, who gets them."""
