"""What the web sides share: security headers, errors, device requests and health."""
