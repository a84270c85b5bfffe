"""The audit log: who did what to which job from where, without content."""
