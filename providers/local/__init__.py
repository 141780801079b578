"""Providers that run on this machine."""
