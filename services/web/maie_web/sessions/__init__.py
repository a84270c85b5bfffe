"""Logins of browsers: credentials sealed in a cookie; the web part stores nothing."""
