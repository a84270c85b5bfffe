"""The audio of sessions that is kept: in parts while they run, put together at their end."""
