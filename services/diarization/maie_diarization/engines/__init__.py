"""The engines that ship with the service, one for each library."""
