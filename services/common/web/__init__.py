"""Shared web code: security headers, error responses, device requests and health."""
