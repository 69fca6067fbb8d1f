"""Panels edit."""
